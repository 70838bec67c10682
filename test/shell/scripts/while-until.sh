i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done
until [ $i -eq 0 ]; do i=$((i-1)); echo $i; done
while false; do :; done; echo $?
while :; do break; done; echo $?
i=0; while i=$((i+1)); [ $i -lt 4 ]; do [ $i = 2 ] && continue; echo "i$i"; done
n=0; while read line; do n=$((n+1)); done <<E
a
b
c
E
echo $n
while true; do (exit 3); break; done; echo $?
