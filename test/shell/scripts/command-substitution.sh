x=$(echo hi); echo "$x"
echo $(echo a b) "$(echo "c  d")"
echo "[$(printf 'x\n\n\n')]" "[$(printf '\n\nx')]" "[$(printf 'a\nb\n')]"
x=$(exit 3); echo $?
x=$(false) ; echo $?; echo $(false) $?
y=$(x=inner; echo $x); echo "$y $x"
echo $(echo $(echo $(echo deep)))
echo "$(cat <<E
here $(echo nested)
E
)"
echo `echo back \`echo quoted\` ticks`
echo "`echo "in quotes"`" `echo '$HOME' | tr -d '\n'`
echo $() "$()" $(:)end
