f() { echo "x=$x"; }
x=old; x=new f; echo $x
x=temp y=2 f; echo "$x ${y-none}"
g() { x=inner; }; x=pre g; echo $x
IFS=: read a b <<E
1:2
E
echo "$a-$b"; printf '[%s]' "$IFS"; echo
x=env sh -c 'echo $x'; echo $x
