mkdir q; cd q
: >'a*b'; : >axb; : >'a b'; : >'[x]'; : >'a?'
for f in a*b; do echo "1 $f"; done
for f in a\*b; do echo "2 $f"; done
for f in "a*"b; do echo "3 $f"; done
for f in a'?'*; do echo "4 $f"; done
for f in a?b; do echo "5 $f"; done
for f in [[]*; do echo "6 $f"; done
for f in \[x\]; do echo "7 $f"; done
for f in *\ *; do echo "8 $f"; done
p='a\*b'; for f in $p; do echo "9 $f"; done
