( echo $((1/0)) ); echo $?
( echo $((1%0)) ); echo $?
( echo $((1+)) ); echo $?
( x=abc; echo $((x)) ); echo $?
( echo $((2 3)) ); echo $?
echo $((1/0))
echo not reached
