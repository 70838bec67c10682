x=1; (x=2; echo $x); echo $x
(cd /; pwd); [ "$(pwd)" = "$PWD" ] && echo same
(exit 5); echo $?
( ( ( echo deep ) ) )
(f() { echo fn; }; f); f 2>/dev/null || echo no f
(umask 077; umask); umask 022; umask
(set -- a b; echo $#); echo $#
(unset x; echo ${x-unset}); echo $x
y=$( (echo a; echo b) | tr '\n' ' '); echo $y
(trap 'echo bye' EXIT; echo hi); echo after
