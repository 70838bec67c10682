sh -c 'trap "echo bye" EXIT; echo hi'
sh -c 'trap "echo bye" 0; exit 3'; echo $?
sh -c 'trap "exit 7" EXIT; exit 3'; echo $?
sh -c 'trap "echo one" EXIT; trap - EXIT; echo none'
sh -c 'trap "echo \$x" EXIT; x=late'
sh -c 'trap "echo outer" EXIT; (trap "echo inner" EXIT; echo sub); echo main'
sh -c 'trap "echo bye" EXIT; nosuch; false'; echo $?
sh -c 'set -e; trap "echo cleanup \$?" EXIT; false; echo no'; echo $?
sh -c 'trap "echo term; exit 5" TERM; kill $$; echo no'; echo $?
sh -c 'f() { trap "echo from f" EXIT; }; f; echo after f'
