for i in 1 2 3; do echo $i; done >f; cat f
while read x; do echo "got $x"; done <f
if read y; then echo "if $y"; fi <f
case a in a) cat;; esac <f
until false; do echo once; break; done >g; cat g
{ read a; read b; } <f; echo $a $b
( read a; read b; read c; echo $c ) <f
f() { cat; } <f
f; f <<E
other
E
