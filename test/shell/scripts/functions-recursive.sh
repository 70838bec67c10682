fact() { if [ $1 -le 1 ]; then echo 1; else echo $(($1 * $(fact $(($1-1))))); fi; }
fact 5
fib() { [ $1 -lt 2 ] && { echo $1; return; }; echo $(( $(fib $(($1-1))) + $(fib $(($1-2))) )); }
fib 7
down() { [ $1 -eq 0 ] && return 7; down $(($1-1)); }
down 50; echo $?
hanoi() { [ $1 -eq 0 ] && return; hanoi $(($1-1)) $2 $4 $3; echo "$2->$3"; hanoi $(($1-1)) $4 $3 $2; }
hanoi 3 A C B
