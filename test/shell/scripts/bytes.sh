printf 'a\0b' | wc -c | tr -d ' '; printf '\001\177' | wc -c | tr -d ' '
x=$(printf 'a\0b'); echo "$x"
printf '\377\376' >bin; cat bin | wc -c | tr -d ' '; cmp bin bin 2>/dev/null; y=$(cat bin); printf '%s' "$y" >copy; wc -c <copy | tr -d ' '
read z <<E
$(printf 'caf\351')
E
printf '%s' "$z" | wc -c | tr -d ' '
