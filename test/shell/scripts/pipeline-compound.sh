for i in 3 1 2; do echo $i; done | sort
while read a b; do echo "$b $a"; done <<E | sort
1 z
2 y
E
{ echo one; echo two; } | while read x; do echo "[$x]"; done
if true; then echo yes; fi | cat
case x in x) echo case;; esac | cat
f() { echo "f $1"; cat; }
echo stdin | f arg
(exit 3) | (exit 4); echo $?
