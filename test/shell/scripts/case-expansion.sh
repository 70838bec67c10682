x='a*'; y=abc
case $y in $x) echo pattern;; esac
case $y in "$x") echo no;; *) echo literal;; esac
case "$x" in a\*) echo escaped;; esac
case $(echo sub) in s?b) echo substituted;; esac
case a.b in *"."*) echo dot;; esac
case 'a b' in a\ b) echo space;; esac
case ~ in ~) echo tilde;; esac
case "" in "") echo empty;; esac
case $nope in '') echo unset;; esac
case abc in [a]b[c]) echo brackets;; esac
case '[' in '[') echo bracket;; esac
case '\' in '\') echo backslash;; esac
case x in $(echo x)) echo from command;; esac
