echo; echo ''; echo a b   c; echo "a   b"
echo -n no newline; echo
echo -n; echo -n -n x; echo; echo -e x; echo -- x; echo -x
echo 'tab\tnew\nline\\ bell\a' | cat
echo 'stop\chere' more; echo
echo '\0101\060' '\x41' '\q' '\'
echo 'a\
b'
