# A stack and a queue of variables.
push() { eval "stack_$sp=\$1"; sp=$((sp+1)); }
pop() { sp=$((sp-1)); eval "top=\$stack_$sp"; }
sp=0; push a; push 'b c'; push '$d'; pop; echo "$top"; pop; echo "$top"; pop; echo "$top $sp"
set --; set -- "$@" x; set -- "$@" 'y z'; echo $# "$1" "$2"; shift; echo "$1"
