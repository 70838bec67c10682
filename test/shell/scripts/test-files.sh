: >f; echo data >g; mkdir d; ln -s g l; ln -s nowhere dangling; mkfifo p
chmod 700 g; chmod 4755 f
t() { [ "$1" "$2" ]; echo "$1 $2 $?"; }
for x in f g d l dangling p nosuch ''; do
  for o in -e -f -d -h -L -p -b -c -S -u -g -k; do t $o "$x"; done
done
t -s f; t -s g; t -s nosuch; t -r g; t -w g; t -x g; t -c /dev/null
[ g -ef l ] && echo same; [ f -ef g ] || echo other
[ -t 0 ] || echo no terminal
