PS4='>> '; set -x; echo a; PS4='[$x] '; x=v; echo b; { set +x; } 2>/dev/null; echo c
