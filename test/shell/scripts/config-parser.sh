cat >conf <<'E'
# settings
name = demo
port=8080

[section]
path = /tmp/x y
E
section=main
while IFS= read -r line; do
  line=${line%%#*}; line=${line#"${line%%[! ]*}"}
  case $line in
    '') continue;;
    \[*\]) section=${line#?}; section=${section%?};;
    *=*) k=${line%%=*} v=${line#*=}; k=${k% } v=${v# }; echo "$section.$k=[$v]";;
  esac
done <conf
