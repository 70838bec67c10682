echo 1 >a; cp a b; mv b c; cat c; mkdir d; cp a c d; ls d; mv d e; ls e; rm e/a; ls e
ln a hard; echo 2 >>a; cat hard; ln -s a soft; cat soft; rm a; cat soft 2>/dev/null || echo dangling; cat hard
cp -r e f; ls f; rm -r e; [ -d e ] || echo removed; rmdir f 2>/dev/null || echo not empty
touch new; [ -f new ] && echo made; mkdir -p x/y/z; rmdir x/y/z; ls x
