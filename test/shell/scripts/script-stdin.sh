printf 'if true\nthen\necho multi\nfi\n' | sh
printf 'echo a; exit 3\necho no\n' | sh; echo $?
printf 'f() {\necho in f\n}\nf\n' | sh
sh <<E
echo here \$0 \$#
cat <<F
nested
F
E
