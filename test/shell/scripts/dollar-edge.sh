echo $ "$" a$ "$ " $. $/ '$'x "a$"
echo "$(echo $)" $((1)) "$"x
x=v; echo $x$x ${x}x "$x"y $x.z $x-1 "$x's"
echo "${x}" ${x} "a${x}b${x}c"; echo $xx "${xx}y"
