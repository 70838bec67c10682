[ ~ = "$HOME" ] && echo home
[ ~/x = "$HOME/x" ] && echo home/x
echo "~" '~' \~ a~ x=~ 2>/dev/null | sed "s#$HOME#HOME#g"
a=~/b; [ "$a" = "$HOME/b" ] && echo assigned
a=x:~/b:~; [ "$a" = "x:$HOME/b:$HOME" ] && echo in a path
HOME=/elsewhere; echo ~ ~/y
echo ~nosuchuser/x ~root
echo ${u:-~} ${u:-~/z}
