set -- 'a  b' c
x="$@"; echo "$x"; x=$*; echo "$x"; x=$@; echo "$x"
IFS=+; x="$*"; echo "$x"; x=$*; echo "$x"
unset IFS
echo "${@:-none}" "${*:-none}"
set --; echo "${@:-none}" "${*:-none}" "${1-none}"
