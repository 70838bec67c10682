for i in a b c; do echo $i; done
for i in; do echo never; done; echo $?
set -- x 'y z'; for i; do echo "[$i]"; done; for i do echo "<$i>"; done
for i in "$@" end; do echo $i; done
for i in $(echo 1 2 3); do printf %s, $i; done; echo
for i in *; do echo "file $i"; done
for i
do echo "nl $i"; done
for f in a b; do x=$f; done; echo $x $f
for i in 1 2 3; do (exit $i); done; echo $?
