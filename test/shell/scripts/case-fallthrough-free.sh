f() { case $1 in [0-9]|[0-9][0-9]) echo num;; -*) echo opt;; */*) echo path;; *.*) echo dotted;; *) echo word; esac; }
for a in 5 42 123 -x a/b c.d hello '' .; do f "$a"; done
case abc in a*c) echo 1;; abc) echo 2;; esac; case x in *) ;; esac; echo $?
x='[a]'; case a in $x) echo as pattern;; esac; case '[a]' in "$x") echo as text;; esac
