sh -ec 'false; echo no'; echo $?
sh -uc 'echo $nope'; echo $?
sh -xc 'echo traced' 2>&1; sh -vc 'echo v' 2>&1
sh -nc 'echo not run'; echo $?
sh -fc 'echo *'; sh -o noglob -c 'echo *'
sh -c 'echo $-' | grep -q e || echo no e
sh -a -c 'x=1; sh -c "echo \$x"'
sh -C -c 'echo a >f; echo b >f' 2>/dev/null; cat f
