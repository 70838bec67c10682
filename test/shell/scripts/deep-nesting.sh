a() { b "$@"; }; b() { c "$@"; }; c() { echo "$(echo "$(echo "$#")")"; }; a 1 2 3
if true; then if true; then while true; do case x in x) for i in 1; do { ( echo deep; ); }; done;; esac; break; done; fi; fi
echo "a $(echo "b $(echo "c $(echo "d")")")"
x=1; { { { x=2; }; }; }; echo $x; ( ( ( x=3; echo $x ) ) ); echo $x
echo $(( ( ( 1 + 2 ) * ( 3 + ( 4 * ( 5 - 6 ) ) ) ) ))
i=0; while [ $i -lt 2 ]; do j=0; while [ $j -lt 2 ]; do echo $i$j; j=$((j+1)); done; i=$((i+1)); done
