true && echo 1; false || echo 2; true || echo no; false && echo no
true && false || echo 3; false || true && echo 4; false && true || echo 5
true && true && echo 6 || echo no
{ false || false; } || echo 7
(true && false); echo $?
false ||
echo 8 &&
echo 9
! false && echo 10; ! true || echo 11
