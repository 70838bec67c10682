show() { printf '%d:' $#; printf ' <%s>' "$@"; echo; }
IFS=:; x=a: y=:b
show $x$y; show $x"$y"; show $x''; show ''$y; show $x$x
IFS=' '; x='a ' y=' b'; show $x$y; show $x'' ; show $x"c"; show "c"$y
IFS=: ; show ${z:-a:b} "${z:-a:b}" ${z:-"a:b"}
show $((1+1)):3
IFS=1; show $((10+101)) $(echo 212)
