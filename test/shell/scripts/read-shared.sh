# What read leaves is there for the next command.
printf 'first\nsecond\nthird\n' >f
{ read x; echo "read $x"; cat; } <f
{ read x; head -n 1; } <f
exec 3<f; read a <&3; read b <&3; echo "$b $a"; cat <&3; exec 3<&-
printf 'p1\np2\np3\n' | { read x; echo "$x"; cat; }
sh -c 'read x; echo "in sh $x"; cat' <f
