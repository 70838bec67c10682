(exit 1) | (exit 2) | true; echo $?
true | (exit 5); echo $?
! (exit 5); echo $?
if echo a | grep b >/dev/null; then echo found; else echo not found; fi
echo a | grep a && echo yes
x=$(echo p | cat; exit 7); echo "$x $?"
