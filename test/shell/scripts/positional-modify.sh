f() { echo "$1-$2"; set -- new args here; echo "$#:$1"; shift; echo $1; }
set -- a b; f c d; echo "$1-$2 $#"
g() { for a do [ "$a" = skip ] && continue; printf '%s ' "$a"; done; echo; }; g one skip two
last() { while [ $# -gt 1 ]; do shift; done; echo "$1"; }; last a b c
h() { eval "echo \${$#}"; }; h x y z
