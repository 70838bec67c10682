echo one >f; cat f; echo two >>f; cat f; echo three >f; cat <f
cat <f >g; cat g; >empty; cat empty; wc -c <empty | tr -d ' '
echo a>h b; cat h; > i echo before; cat i
{ echo x; echo y; } >j; cat j
echo err >&2 2>/dev/null; echo out 1>&2 2>k; cat k
ls nosuch 2>/dev/null; echo $?
echo both >l 2>&1; cat l
