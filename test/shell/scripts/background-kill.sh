sleep 10 & kill $!; wait $! 2>/dev/null; echo $?
sleep 10 & kill -9 $!; wait $! 2>/dev/null; echo $?
(trap 'echo caught; exit 3' TERM; echo ready >r; while :; do sleep 0.02; done) & p=$!
while [ ! -s r ]; do :; done; kill $p; wait $p; echo $?
kill -0 $$ && echo alive; kill -0 $p 2>/dev/null || echo gone
kill 2>/dev/null; echo $?
kill -l 9; kill -l 15; kill -l 137
