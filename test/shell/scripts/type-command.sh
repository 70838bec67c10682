f() { :; }; alias al='echo x'
type f cd : if al nosuchcmd; echo $?
command -v f cd; command -v :; command -v if; command -v al; command -v nosuchcmd; echo $?
command -V f; command -V cd; command -V while
command echo plain; cd() { echo mine; }; command cd .; unset -f cd
command -v ls >/dev/null && echo found ls
command nosuchcmd; echo $?
echo() { printf 'fn\n'; }; command echo builtin; unset -f echo
command; echo $?
