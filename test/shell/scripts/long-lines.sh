i=0; s=; while [ $i -lt 500 ]; do s=${s}x; i=$((i+1)); done; echo ${#s}
set --; i=0; while [ $i -lt 300 ]; do set -- "$@" $i; i=$((i+1)); done; echo $# ${300} "${299}"
echo "$@" | wc -w | tr -d ' '; x="$*"; echo ${#x}
t=$s$s$s$s; echo ${#t}; u=${t#x*x}; echo ${#u}; u=${t##*x}; echo ${#u}
