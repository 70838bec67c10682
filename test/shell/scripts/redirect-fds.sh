exec 3>f; echo three >&3; exec 3>&-; cat f
exec 4<f; read x <&4; echo "$x"; exec 4<&-
{ echo out; echo err >&2; } 2>e >o; cat o e
{ echo swapped >&2; } 3>&1 1>/dev/null 2>&3 3>&-
(echo closed >&5) 2>/dev/null || echo bad fd
exec 6<>rw; echo hello >&6; exec 6>&-; cat rw
exec 5>&1; echo dup >&5; exec 5>&-
