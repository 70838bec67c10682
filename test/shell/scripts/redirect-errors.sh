cat <nosuch; echo $?
echo x >nodir/f; echo $?
echo x >. ; echo $?
f() { echo in f; }; f <nosuch; echo $?
{ echo brace; } <nosuch; echo $?
(echo sub) <nosuch; echo $?
while :; do echo loop; break; done <nosuch; echo $?
echo x >&9; echo $?
echo y <&7; echo $?
