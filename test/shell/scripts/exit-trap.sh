trap 'echo "exit $?"' EXIT
trap 'echo no' EXIT; trap 'echo "status $?"; echo done' EXIT
(exit 3)
echo before
exit 4
