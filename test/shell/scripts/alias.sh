alias hi='echo hello'
hi there
alias two='echo one
echo two'
two
alias e='echo ' w=world
e w
alias ls='ls -d'; ls .
alias loop='loop2'; alias loop2='loop'; loop 2>/dev/null || echo no loop
alias hi; unalias hi; hi 2>/dev/null || echo gone
alias nosuch; echo $?; unalias nosuch; echo $?
alias begin='{' end='}'
begin echo braced; end
\e w 2>/dev/null || echo not expanded
unalias -a; alias
