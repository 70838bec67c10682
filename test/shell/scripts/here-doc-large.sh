i=0; s=
while [ $i -lt 400 ]; do s="${s}0123456789abcdef
"; i=$((i+1)); done
cat <<E | wc -l | tr -d ' '
$s
E
cat <<E >f
$s$s
E
wc -c <f | tr -d ' '
{ read a; read b; } <<E
$s
E
echo "$a $b"
