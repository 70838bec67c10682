t() { "$@" 2>&1; echo "$? $*"; }
t [ 1 -eq 1 ]; t [ 1 -eq 01 ]; t [ -1 -lt 0 ]; t [ 2 -gt 10 ]; t [ 10 -ge 10 ]; t [ 3 -ne 4 ]; t [ 3 -le 2 ]
t [ ' 5 ' -eq 5 ]; t [ +5 -eq 5 ]
t [ a -eq 1 ]; t [ 1 -eq '' ]; t [ 1 -eq 1x ]
