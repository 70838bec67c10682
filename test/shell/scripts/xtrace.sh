x=1
set -x
echo hello "a b"
y=2 z=3
x=4 echo with env
for i in 1 2; do :; done
if [ "$x" = 1 ]; then echo yes; fi
echo $(echo sub)
f() { echo in f; }
f arg
set +x
echo quiet
