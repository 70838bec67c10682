f() { echo out; echo err >&2; }
f >both 2>&1; cat both
f 2>&1 >only | tr a-z A-Z; cat only
f >/dev/null 2>&1; echo $?
f 2>e 1>o; cat e o
{ f 2>&1; } | sort
