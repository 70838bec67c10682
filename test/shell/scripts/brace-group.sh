{ echo a; echo b; }
{ x=set; }; echo $x
{ false; }; echo $?
{ { echo nested; }; }
{ echo c
echo d
}
{ echo e; } && { echo f; } || { echo g; }
echo {a,b} {} a{ }b } {
