echo a # comment
# whole line
echo b#c '#d' "#e" \#f
x=#; echo "$x"
echo $(echo g # not h
echo i)
: # nothing
echo end #
