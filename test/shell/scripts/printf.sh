printf 'plain\n'; printf '%s\n' a b c; printf '%s %s\n' a b c
printf '%d %i %o %x %X %u\n' 42 -7 8 255 255 3
printf '[%5d][%-5d][%05d][%+d][% d]\n' 42 42 42 42 42
printf '[%5s][%-5s][%.2s][%5.1s]\n' abc abc abc abc
printf '%c%c\n' hello world; printf '%%|%5%\n' 2>/dev/null; echo $?
printf '%b\n' 'a\tb\0101'; printf '%s\n' 'a\tb'
printf '\101\t\\x\n'; printf 'no args %s %d\n'
printf '%*d|%-*d|%.*f\n' 5 42 5 42 2 3.14159
printf '%d %d %d\n' 0x1f 017 "'A"
printf 'a\n' b c
