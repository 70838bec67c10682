# Quotes inside substitutions inside quotes.
x="a b"
echo "$(echo "$x" 'q "z" q')"
echo "`echo "$x"`"
echo "${x:-"c d"}" "${y:-"c  d"}" "${y:-'c  d'}"
echo ${y:-"c  d"} ${y:-'e  f'} ${y:-g  h}
echo "$(printf '%s|' "${x}" "$(printf "%s" "$x $x")")"
set -- "${x}" ${x} "pre ${x} post"
echo $#
for i do printf '<%s>' "$i"; done; echo
