readonly a=1; echo $a; (a=2; echo no); echo $?
(unset a; echo no); echo $?
readonly b; b=2 2>/dev/null || echo never here
