set -e
false || true
if false; then :; fi
! true
while false; do :; done
f() { false; echo "in f"; }
f || echo "f tested"
x=$(echo ok); echo $x
false && true
{ false || echo recovered; }
echo before
false
echo not reached
