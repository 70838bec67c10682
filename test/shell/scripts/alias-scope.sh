alias a='echo alias'; a same line? 2>/dev/null
f() { a in function; }
unalias a; f
alias b='echo b'; eval 'b evaluated'
alias if2='if'; if2 true; then echo keyword; fi
x=1 y; alias y='echo y'; x=1 y
