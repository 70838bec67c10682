set -u
x=set; echo $x ${y-default} ${z:-other} ${w+alt}
echo "$@" $# "$*"
(echo $nope); echo $?
(echo ${#nope}); echo $?
(echo $1); echo $?
(echo ${nope%x}); echo $?
echo "$nope"
echo not reached
