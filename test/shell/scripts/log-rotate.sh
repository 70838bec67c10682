for i in 1 2 3 4; do
  n=3; while [ $n -gt 0 ]; do
    [ -f log.$n ] && mv log.$n log.$((n+1)); n=$((n-1))
  done
  [ -f log ] && mv log log.1
  echo "run $i" >log
done
rm -f log.4; for f in log*; do echo "$f: $(cat $f)"; done
