show() { printf '%d:' $#; printf ' <%s>' "$@"; echo; }
x='  a  b	c
d  '; show $x; show "$x"
x=''; show $x; show "$x"; show $x""; show ""$x
x='a b'; show $x$x; show "$x"$x; show $x"$x"; show pre$x; show ${x}post
show $(echo '  p  q  ') "$(echo '  p  q  ')"
x='a*b c?d'; show $x
y=' '; show a${y}b "a${y}b" $y a$y $y"b"
