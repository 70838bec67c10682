readonly x='it'"'"'s'; readonly | grep x=; readonly -p | grep 'x='
(readonly x=2; echo no); echo $?
(for x in 1; do :; done; echo no); echo $?
(read x <data/words; echo "read $?"); echo $?
(export x; echo exported); sh -c 'echo $x'
(: ${x=5} $x; echo fine)
(: $((x=5)); echo no); echo $?
f() { local y; readonly y=1; echo $y; }; f
