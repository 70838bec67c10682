# Single quotes, double quotes, backslashes.
echo 'a  b' "c  d" e\ \ f
echo 'a"b' "a'b" a\"b a\'b
echo "x$HOMEx" "\$x" "\\" "\`" "\a" '\a\\'
printf '[%s]\n' '' "" a''b "a"'b'c
printf '[%s]\n' \a \$ \* "\*" '\*'
echo "line one
line two" 'and
three'
echo a\
b "c\
d" 'e\
f'
