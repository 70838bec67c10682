(exec echo replaced; echo no)
(exec nosuchcommand) 2>/dev/null; echo $?
exec 3>log; echo logged >&3; exec 3>&-; cat log
(exec >out; echo redirected; echo more); cat out
(exec 2>&1; echo err >&2) | cat
exec </dev/null; read x; echo $?
(exec sh -c 'echo $0 $1' zero one)
exec echo last
echo not reached
