f() { echo to file; } >out
f; cat out; f >other; cat out other
g() { cat; } <<E
doc for g
E
g; g </dev/null
h() { echo err >&2; } 2>err
h; cat err
