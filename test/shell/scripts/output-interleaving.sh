echo out1; echo err1 >&2; echo out2; sh -c 'echo child; echo childerr >&2'; echo out3
{ echo a; sh -c 'echo b'; echo c; } | cat
(echo 1; (echo 2; sh -c 'echo 3'); echo 4) 2>&1 | cat
printf 'no newline'; sh -c 'printf " joined\n"'
