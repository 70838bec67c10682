f() { echo one; }; f; f() { echo two; }; f
f() { f() { echo inner; }; echo outer; }; f; f
echo() { printf 'mine: %s\n' "$*"; }; echo hi; unset -f echo; echo hi
ls() { echo "no listing"; }; ls; command ls -d .; unset -f ls
f() { unset -f f; command echo self; }; f; f 2>/dev/null || echo gone
g() { h "$@"; }; h() { echo "h $1"; }; g late
