mkdir s; cd s
for f in b a C c_1 10 9 aa Z é ~t +p; do : >"./$f"; done
echo *
for f in *; do printf '%s,' "$f"; done; echo
