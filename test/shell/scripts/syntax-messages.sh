sh -c 'fi'; sh -c 'then'; sh -c ')'; sh -c 'echo a; ;;'; sh -c 'if true; fi'; sh -c 'while true; done'
sh -c 'echo >'; sh -c '| a'; sh -c 'a && || b'; sh -c '{ a'; sh -c '( a'; sh -c 'f() }'
sh -c 'if true; then'; sh -c 'for i in a; do'; sh -c "echo 'x"; sh -c 'done'; sh -c 'esac'
sh -c 'echo
echo )'
echo 'echo ok
}' >s; sh s
