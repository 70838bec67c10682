t() { echo "t$1"; return 0; }; f() { echo "f$1"; return 1; }
t 1 && t 2 && f 3 && t 4; echo $?; f 1 || f 2 || t 3 || t 4; echo $?
t 1 && f 2 || t 3 && t 4; echo $?; { t 1 || f 2; } && t 3; ! t 1 && t 2; ! f 1 && t 2; echo $?
(t 1; f 2) || t 3; (f 1 && t 2); echo $?; if t 1 && f 2; then echo y; else echo n; fi
