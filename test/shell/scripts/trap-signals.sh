trap 'echo got usr1' USR1; kill -USR1 $$; echo after
trap 'echo got term' TERM 15; kill $$; kill -s TERM $$; kill -15 $$
trap '' USR1; kill -USR1 $$; echo ignored
trap - USR1 TERM
trap 'echo a; echo b' HUP; trap; kill -HUP $$
(trap 'echo sub' USR2; sh -c 'kill -USR2 $PPID'; echo end sub)
trap 2>/dev/null; trap 'x' NOSUCH; echo $?
