a=1 b=2 c=$a$b
echo "$a $b $c"
a=3 d=$a
echo "$a $d"
e= f=''
echo "[$e][$f]"
g="x y"; h=$g; echo "$h"
i=*; echo "$i"
j=~; [ "$j" = "$HOME" ] && echo tilde
k=a:~; [ "$k" = "a:$HOME" ] && echo tilde in path
l="~"; echo "$l"
A_1=under _=x; echo $A_1
