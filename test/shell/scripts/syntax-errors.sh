sh -c 'if' 2>/dev/null; echo $?
sh -c 'echo a; )' 2>/dev/null; echo $?
sh -c 'for x in a; do echo x' 2>/dev/null; echo $?
sh -c "echo 'unclosed" 2>/dev/null; echo $?
sh -c 'echo "unclosed' 2>/dev/null; echo $?
sh -c 'case x in' 2>/dev/null; echo $?
sh -c 'fi' 2>/dev/null; echo $?; sh -c '| cat' 2>/dev/null; echo $?; sh -c 'a &&' 2>/dev/null; echo $?
sh -c 'echo $(' 2>/dev/null; echo $?; sh -c 'echo ${x' 2>/dev/null; echo $?; sh -c ';;' 2>/dev/null; echo $?
printf 'echo before\nif\n' | sh 2>/dev/null; echo $?
printf 'echo before\nfi\necho after\n' >s; sh s 2>/dev/null; echo $?
(eval 'if') 2>/dev/null; echo $?; eval 'fi' 2>/dev/null; echo not reached
