eval echo hello; eval 'x=1; y=2'; echo $x$y
a=b; b=c; eval echo \$$a; eval "echo \${$a}"
cmd='echo "quoted arg"'; eval "$cmd"; $cmd
eval; echo $?; eval ''; echo $?; eval false; echo $?
for i in 1 2; do eval "v$i=val$i"; done; echo $v1 $v2
eval 'if true; then echo multi
fi'
eval "eval 'echo twice'"
f() { eval 'return 4'; echo no; }; f; echo $?
for i in 1 2 3; do eval break; done; echo $i
