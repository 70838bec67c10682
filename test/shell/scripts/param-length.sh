x=hello; echo ${#x}
x=; echo ${#x}
unset x; echo ${#x}
set -- a bb ccc; echo ${#} ${#1} ${#3} $#
x="a b  c"; echo ${#x}
x='*'; echo ${#x}
set --; echo ${#} $#
