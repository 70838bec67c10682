t() { "$@"; echo "$? $*"; }
t [ a = a ]; t [ a = b ]; t [ a != b ]; t [ -n a ]; t [ -n '' ]; t [ -z '' ]; t [ -z a ]
t [ a ]; t [ '' ]; t [ ]; t [ ! a ]; t [ ! '' ]; t [ -n ]; t [ -z ]; t [ ! ]
t [ a \< b ]; t [ b \< a ]; t [ a \> b ]; t [ = ]; t [ = = = ]; t [ ! = ! ]; t [ -n = x ]
t test a = a; t test; t test -n
t [ '(' = '(' ]; t [ ! '(' ]; t [ '(' a ')' ]; t [ '(' '' ')' ]
