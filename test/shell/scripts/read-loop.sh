n=0
while read -r name age color; do
  n=$((n+age)); printf '%s(%s) ' "$name" "$color"
done <data/table
echo; echo $n
while IFS=' ' read -r a rest; do echo "$rest"; done <data/table | sort | head -n 2
i=0; while read x || [ -n "$x" ]; do i=$((i+1)); done <<E
a
b
E
echo $i
printf 'last without newline' | while read x || [ -n "$x" ]; do echo "[$x]"; done
