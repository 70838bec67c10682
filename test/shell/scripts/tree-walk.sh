walk() {
  for e in "$1"/*; do
    [ -e "$e" ] || continue
    if [ -d "$e" ]; then echo "d ${e#./}"; walk "$e"; else echo "f ${e#./}"; fi
  done
}
mkdir -p w/a/b w/c; : >w/a/b/x; : >w/c/y; : >"w/sp ace"; cd w; walk .
