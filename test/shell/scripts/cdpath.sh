top=$PWD; mkdir -p x/one y/two two
CDPATH=$top/x:$top/y; cd one | sed "s#$top#TOP#"; cd two >/dev/null; [ "$PWD" = "$top/y/two" ] && echo found two
cd "$top"; CDPATH=:$top/y; cd two; [ "$PWD" = "$top/two" ] && echo here first
cd "$top"; cd ./two; [ "$PWD" = "$top/two" ] && echo dot
cd "$top"; CDPATH=$top/x; cd nosuch 2>/dev/null || echo none
