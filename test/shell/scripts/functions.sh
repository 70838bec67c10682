f() { echo "f: $# $*"; }
f; f a; f "b c" d
g () {
  echo "$1"; shift; echo "$1"
}
g one two; echo "outer: $#"
h() ( x=sub; echo $x ); x=top; h; echo $x
i() if [ "$1" ]; then echo yes; else echo no; fi
i 1; i
j() { return 3; }; j; echo $?
k() { false; }; k; echo $?
l() { return; }; false; l; echo $?
m() { echo one; return 0; echo two; }; m
set -- keep; f changed; echo $1
