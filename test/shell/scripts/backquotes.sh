echo `echo \\$HOME` `echo \$x` "`echo \"q\"`"
x=v; echo `echo $x` `echo '$x'` `echo \\\\ `
echo `echo a; echo b`
echo "`printf 'a\nb'`"
y=`cat <<E
doc $x
E
`; echo "$y"
