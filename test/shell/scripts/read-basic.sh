read a <<E
one line
E
echo "[$a]"
printf 'x y z\n' | { read a b; echo "[$a][$b]"; }
printf '  lead trail  \n' | { read a; echo "[$a]"; }
printf '  lead trail  \n' | { IFS= read a; echo "[$a]"; }
printf 'a\\\nb c\n' | { read x; echo "[$x]"; }
printf 'a\\\nb c\n' | { read -r x; echo "[$x]"; }
printf 'a\\ b c\n' | { read x y; echo "[$x][$y]"; }
printf 'no newline' | { read x; echo "$? [$x]"; }
printf '' | { x=old; read x; echo "$? [$x]"; }
printf 'one\ntwo\nthree\n' | { read a; read b; cat; echo "$a $b"; }
printf 'a b c\n' | { read x y z w; echo "[$x][$y][$z][$w]"; }
