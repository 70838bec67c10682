sh -c 'echo $0 $# $*' name a b; sh -c 'echo $#' ; sh -c 'shift; echo $1' n a b
echo 'echo "$0: $# [$1]"' >s.sh; sh s.sh 'a b'; sh ./s.sh; sh -e s.sh x
echo 'echo from stdin $1' | sh -s arg; echo 'echo plain $#' | sh
sh nosuch.sh; echo $?
sh -c; echo $?
