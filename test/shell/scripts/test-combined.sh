t() { "$@"; echo "$? $*"; }
t [ a = a -a b = b ]; t [ a = a -a b = c ]; t [ a = b -o b = b ]; t [ a = b -o b = c ]
t [ ! a = b ]; t [ ! a = a ]; t [ ! -f nosuch ]; t [ -f data/words -a -d data ]
t [ '(' a = a ')' -a b ]; t [ '(' a = b -o b ')' ]; t [ ! '(' a = b ')' ]
t [ a -a '' ]; t [ '' -o b ]; t [ ! '' -a a ]
