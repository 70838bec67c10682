echo a >f; set -C
echo b >f; echo $?; cat f
echo c >|f; cat f
echo d >>f; cat f
echo e >new; cat new
echo x >/dev/null; echo $?
set +C; echo f >f; cat f
