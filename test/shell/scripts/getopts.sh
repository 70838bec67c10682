parse() {
  OPTIND=1
  while getopts ab:c opt "$@"; do
    case $opt in
      a) echo a;; b) echo "b=$OPTARG";; c) echo c;; '?') echo "unknown";;
    esac
  done
  shift $((OPTIND-1)); echo "rest: $*"
}
parse -a -b val x y; parse -abval -c; parse -b '' z; parse -ac -- -a; parse x -a; parse
parse -b; parse -z; parse -a - b; parse -cb v w
