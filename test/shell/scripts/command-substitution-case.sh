# Parentheses of case, quotes and comments inside.
echo $(case x in x) echo matched;; esac)
echo $(case y in (y) echo opened;; esac)
echo "$(echo ')' "(" \))"
echo $(echo a # comment with )
echo b)
echo $( (echo sub) ; { echo brace; } )
x=$(
  if true; then
    echo multi
  fi
); echo $x
