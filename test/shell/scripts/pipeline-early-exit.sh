i=0; while [ $i -lt 2000 ]; do echo "line $i of many"; i=$((i+1)); done | head -n 2
(while echo y; do :; done) 2>/dev/null | head -n 3
cat /dev/zero 2>/dev/null | head -c 4 | wc -c | tr -d ' '
