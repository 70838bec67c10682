x=old; x=new true; echo $x; x=new :; echo $x
y=1 eval 'echo $y'; echo ${y-unset}
a=1 b=$a sh -c 'echo "[$a][$b]"'
PATH=/nonexistent ls 2>/dev/null; echo $?
IFS=: set -- a; echo "[$IFS]"; unset IFS
v=1 >f; echo $v; z=$(echo cs) sh -c 'echo $z'
FOO=bar BAZ=qux sh -c 'echo $FOO $BAZ'; echo "[$FOO]"
