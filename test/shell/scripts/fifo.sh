mkfifo f; echo through >f & cat f; wait
mkfifo g; cat g >out & echo one >g; wait; cat out
(echo a; echo b) >f & while read x; do echo "<$x>"; done <f
wait
[ -p f ] && echo is a fifo
