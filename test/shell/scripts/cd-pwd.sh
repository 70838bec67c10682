top=$(pwd)
mkdir -p a/b c; cd a; [ "$PWD" = "$top/a" ] && echo in a
cd b; cd ..; [ "$PWD" = "$top/a" ] && echo back in a
cd - >/dev/null; [ "$PWD" = "$top/a/b" ] && echo dash; [ "$OLDPWD" = "$top/a" ] && echo oldpwd
cd ../../c; [ "$PWD" = "$top/c" ] && echo in c; cd .; [ "$PWD" = "$top/c" ] && echo still
cd; [ "$PWD" = "$HOME" ] && echo home
cd "$top"; ln -s a/b link; cd link; [ "$PWD" = "$top/link" ] && echo logical
[ "$(pwd -P)" = "$(cd -P . && pwd)" ] && echo physical
cd ..; [ "$PWD" = "$top" ] && echo logical up
cd -P link; cd ..; [ "$PWD" = "$(cd -P "$top/a" && pwd)" ] && echo physical up
cd "$top"; cd nosuch; echo $?
cd data/words; echo $?
HOME=$top/c; cd; [ "$PWD" = "$top/c" ] && echo new home
