printf '%d\n' abc; echo $?
printf '%d\n' 12x; echo $?
printf '%d\n' ''; echo $?
printf '%f\n' 1.5z; echo $?
printf '%d\n' 99999999999999999999; echo $?
printf '%z\n'; echo $?
printf; echo $?
printf 'a\cb\n'; echo
printf '%b' 'stop\c now' never; echo
