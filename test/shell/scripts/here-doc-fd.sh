cat 3<<A <&3
through three
A
exec 4<<E
line1
line2
E
read a <&4; read b <&4; echo "$b $a"; exec 4<&-
x=$(cat <<E
in substitution
E
); echo "$x"
cat <<E
${y:-default} ${y:-"quoted"}
${x#in }
E
