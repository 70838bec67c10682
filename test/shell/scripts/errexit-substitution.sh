set -e
(set +e; false; echo survives)
x=$(false; echo "after false") || true; echo "[$x]"
echo $(false) status of echo
y=$(false)
echo not reached
