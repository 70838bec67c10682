trap 'echo "trap sees $?"; false' USR1
true; kill -USR1 $$; echo "then $?"
(exit 3); kill -USR1 $$; echo $?
f() { kill -USR1 $$; return 4; }; f; echo $?
for i in 1 2; do kill -USR1 $$; echo $i; done
