times | wc -l | tr -d ' '
ulimit -n >/dev/null && echo nofile; (ulimit -n 64; ulimit -n)
ulimit -z 2>/dev/null; echo $?
(ulimit -f 1; ulimit -f)
