mkdir g; cd g
: >a.c; : >b.c; : >c.h; : >.hid; mkdir d; : >d/e.c
echo * ; echo *.c ; echo ?.h ; echo [ab].c ; echo [!a].c ; echo [a-b]*
echo .* | tr ' ' '\n' | sort | tail -n 1
echo */*.c */ d/*; echo nomatch* '*' "*" \*
echo [z]* *.[ch] *[.]c
x='*.c'; echo $x "$x"
echo ./* ../g/*.h
