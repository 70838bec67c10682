(sleep 0.06; echo slow) & (echo fast) & wait; echo end
for i in 3 1 2; do (sleep 0.0$((i*3)); echo $i) & done; wait
(echo a >f1) & (echo b >f2) & wait; cat f1 f2
x=$( (sleep 0.02; echo late) & echo early; wait); echo $x
