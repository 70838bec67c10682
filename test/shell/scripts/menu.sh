choose() { while read choice; do case $choice in
  1|one) echo first;; 2|two) echo second;;
  q*) echo bye; return 0;; *) echo "unknown: $choice" >&2;; esac; done; return 1; }
choose <<E
1
two
bad
quit
never
E
echo $?; choose </dev/null; echo $?
