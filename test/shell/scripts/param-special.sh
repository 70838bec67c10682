set -- one two "three four"
echo "$#: $1 $2 $3 [$4]"
echo "${10-none}" "$10"
set -- 1 2 3 4 5 6 7 8 9 ten eleven
echo "${10} ${11} $10 $11"
echo $0
true; echo $?; false; echo $?
(exit 42); echo "$?"
[ "$$" = "$(echo $$)" ] && echo same pid in a subshell
