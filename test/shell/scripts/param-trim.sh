f=/usr/local/lib/libfoo.so.1.2
echo ${f#*/} ${f##*/} ${f%/*} ${f%%/*}end
echo ${f%.*} ${f%%.*} ${f##*.} ${f#*.}
x=aaa; echo ${x#a} ${x##a} ${x#a*} ${x##a*}x
x=abcabc; echo ${x#*b} ${x##*b} ${x%b*} ${x%%b*}
x='a*b*c'; echo ${x#*"*"} ${x%"*"*} ${x##*\*} "${x#a\*}"
p='*'; echo ${x#$p}x ${x#"$p"} ${x##a$p}x
x=foo.tar.gz; e=.gz; echo ${x%$e} ${x%"$e"} ${x%.tar*}
x=abc; echo ${x#z} ${x%z} ${x#} ${x%}
x=[abc]; echo ${x#[} ${x%]} ${x#"["}
