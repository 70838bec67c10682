while getopts :a:b opt -a 1 -b -c -a; do
  echo "$opt [${OPTARG-unset}] $OPTIND"
done
echo "end $? $opt $OPTIND"
set -- -x -y file
while getopts xy o; do echo $o; done; shift $((OPTIND-1)); echo $1
OPTIND=1; getopts a: o -a; echo "$? $o"
OPTIND=1; getopts a o -q 2>/dev/null; echo "$? $o"
