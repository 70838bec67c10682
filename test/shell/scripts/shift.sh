set -- a b c d; shift; echo $*; shift 2; echo $*; shift; echo $#
set -- a; shift 1; echo $#; shift 0; echo $?
set -- 1 2 3
while [ $# -gt 0 ]; do echo "$1 of $#"; shift; done
(set -- a; shift 2; echo no); echo $?
