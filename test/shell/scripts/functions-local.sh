x=global
f() { local x; x=local; echo $x; g; }
g() { echo "g sees $x"; x=changed; }
f; echo $x
g; echo $x
h() { local a=1 b=2; echo $a$b; }; h; echo "[$a$b]"
i() { local x="$1"; [ "$1" -gt 0 ] && i $(($1-1)); echo "i $x"; }; i 2
j() { local IFS=:; set -- $1; echo $#; }; j a:b:c; set -- a b; echo $#
k() { local y; echo "[${y-unset}]"; }; y=out; k
