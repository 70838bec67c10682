mkdir t; cd t; : >b; : >a; : >.h; mkdir c; ln -s a l
ls; ls -a | wc -l | tr -d ' '; ls -d *; ls -1 c; ls nosuch 2>/dev/null || echo failed
for f in *; do [ -L $f ] && echo "link $f"; [ -d $f ] && echo "dir $f"; [ -f $f ] && echo "file $f"; done
ls -F
