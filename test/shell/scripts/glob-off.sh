: >one; : >two
set -f; echo *; set +f; echo t* o*
set -o noglob; echo t*; set +o noglob; echo t*
x='t*'; set -f; echo $x; set -- $x; echo "$1"; set +f; set -- $x; echo "$1"
