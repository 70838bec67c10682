echo 'x=sourced; echo "in lib $1"; return 5; echo no' >lib.sh
. ./lib.sh; echo "$? $x"
set -- arg; . ./lib.sh; echo $1
echo 'f() { echo from lib; }' >fn.sh; . ./fn.sh; f
(. ./nosuch.sh; echo no); echo $?
echo 'exit 3' >ex.sh; (. ./ex.sh; echo no); echo $?
mkdir p; echo 'echo by path' >p/bypath.sh; PATH=$PWD/p:$PATH; . bypath.sh
echo 'for i in 1 2; do echo $i; done' >loop.sh; . ./loop.sh
echo false >f.sh; . ./f.sh; echo $?
