x=1; unset x; echo "[${x-none}][${x:-empty}]"
x=; echo "[${x-none}][${x:-empty}]"
unset nosuch; echo $?
f() { echo fn; }
f; unset -f f; f 2>/dev/null || echo gone
unset x y z; echo $?
x=2; unset -v x; echo "${x+set}"
