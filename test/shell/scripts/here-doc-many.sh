cat <<A; cat <<B
first
A
second
B
cat <<A - <<B
lost
A
kept
B
if true; then
cat <<E
inside
E
fi
f() { cat <<E
fn $1
E
}
f arg; f "two words"
while read l; do echo "<$l>"; done <<E
l1
l2
E
cat <<E | tr a-z A-Z
piped
E
