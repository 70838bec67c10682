show() { printf '%d:' $#; printf ' <%s>' "$@"; echo; }
IFS=:; x=a:b::c:; show $x
x=:a; show $x; x=::; show $x; x=:; show $x; x=a; show $x
IFS=' :'; x=' a : b  c:d : : e '; show $x
IFS=': '; x='a :b: :c'; show $x
IFS=,; x='a, b ,c'; show $x
IFS=; x='a b:c'; show $x
IFS=x; y=1x2x3; show $y; show a$y
unset IFS; x='a b'; show $x
IFS='	'; x='a	b c'; show $x
