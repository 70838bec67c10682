for i in 1 2 3; do for j in a b c; do
  [ $j = b ] && continue 2
  [ $i = 3 ] && break 2
  echo $i$j
done; echo never; done; echo $?
for i in 1 2; do while :; do break; done; echo "after $i"; done
for i in 1 2 3; do case $i in 2) continue;; esac; echo $i; done
for i in 1 2 3; do if [ $i = 2 ]; then break; fi; echo $i; done
for i in 1 2; do { [ $i = 1 ] && continue; }; echo "brace $i"; done
for i in 1 2 3; do break 5; done; echo broke
