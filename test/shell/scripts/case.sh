c() { case $1 in
  a) echo is a;;
  b|c) echo b or c;;
  d*) echo "d-something";;
  ?x) echo any x;;
  [0-9]) echo digit;;
  [!a-z]*) echo not lower;;
  "*") echo star;;
  '') echo empty;;
  (e) echo opened;;
  *y) echo ends in y ;;
  *) echo other
esac; }
for v in a b c d dog qx 5 55 '*' '' e happy zzz; do c "$v"; done
case x in y) ;; esac; echo $?
case x in x) false;; esac; echo $?
case x in x) ;; esac; echo $?
