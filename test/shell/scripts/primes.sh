n=2; found=
while [ $n -lt 60 ]; do
  p=1 d=2
  while [ $((d*d)) -le $n ]; do
    if [ $((n%d)) -eq 0 ]; then p=0; break; fi
    d=$((d+1))
  done
  [ $p = 1 ] && found="$found $n"
  n=$((n+1))
done
echo $found
