show() { printf '%d:' $#; printf ' <%s>' "$@"; echo; }
set -- 'a b' c ''
show $*; show $@; show "$*"; show "$@"
show x"$@"y; show x"$*"y; show "x $@ y"
show x$@y; show "$@" end; show pre "$@"
IFS=-; show "$*"; show $*; show "$@"
IFS=; show "$*"; show $*; show "$@"
unset IFS; show "$*"
set --; show "$@"; show "$*"; show $@; show x"$@"y; show "$@""$@"
