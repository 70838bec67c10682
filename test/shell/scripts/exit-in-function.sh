f() { echo in f; exit 6; }
(f; echo no); echo $?
g() { return 2; }
g || echo "g failed $?"
trap 'echo cleanup' EXIT
f
echo not reached
