{ echo in background; } & wait; echo done
(exit 3) & wait $!; echo $?
true & wait $!; echo $?; false & wait $!; echo $?
sleep 0.05 & a=$!; sleep 0.01 & b=$!; [ $a != $b ] && echo two; wait $a $b; echo $?
x=1; x=2 & wait; echo $x
echo piped & wait
{ read x; echo "stdin [$x]"; } & wait
wait; echo $?; wait 99999 2>/dev/null; echo $?
f() { echo "job $1"; return $1; }; f 6 & wait $!; echo $?
false & true; wait $!; echo $?
