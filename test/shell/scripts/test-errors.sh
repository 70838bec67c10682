[ a; echo $?
[ a b ]; echo $?
[ a b c ]; echo $?
test a b c d e; echo $?
test -q x; echo $?
[ 1 -eq ]; echo $?
[ \( a ]; echo $?
