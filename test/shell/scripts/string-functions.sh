upper() { printf '%s' "$1" | tr a-z A-Z; }
repeat() { r=; i=0; while [ $i -lt $2 ]; do r=$r$1; i=$((i+1)); done; echo "$r"; }
reverse() { s=$1 r=; while [ -n "$s" ]; do rest=${s#?}; r=${s%"$rest"}$r; s=$rest; done; echo "$r"; }
contains() { case $1 in *"$2"*) return 0;; esac; return 1; }
join() { d=$1; shift; o=$1; shift; for a; do o=$o$d$a; done; echo "$o"; }
echo "$(upper hello)"; repeat ab 3; reverse hello; contains foobar oba && echo yes; contains foobar xyz || echo no
join , a b c; join ' - ' one 'two three'
