true; echo $?; false; echo $?; (exit 200); echo $?; (exit 256); echo $?; (exit 257); echo $?
sh -c 'exit 9'; echo $?; sh -c 'kill -9 $$' 2>/dev/null; echo $?; sh -c 'kill -TERM $$' 2>/dev/null; echo $?
nosuchcmd 2>/dev/null; echo $?; ./nosuch 2>/dev/null; echo $?; : >noexec; ./noexec 2>/dev/null; echo $?; / 2>/dev/null; echo $?
x=$(exit 4); echo $?; x=1; echo $?; x=$(exit 5) y=$(exit 6); echo $?
f() { (exit 8); }; f; echo $?
exit 17
