set -- a b c
IFS=:; echo "$*"; x="$*"; echo "$x"; IFS=', '; echo "$*"; IFS=; echo "$*"
IFS=:; x=$*; echo "$x"; for i in $*; do echo "<$i>"; done; for i in "$*"; do echo "<$i>"; done
unset IFS; echo "$*"; IFS=' '; echo $*
