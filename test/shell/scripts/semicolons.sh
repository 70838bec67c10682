echo a;echo b; echo c ;
echo d; { echo e; }; (echo f); if true; then echo g; fi; echo h
true&&echo i||echo j;echo k
for i in 1 2;do echo $i;done;while false;do :;done;case x in x)echo l;;esac
{ echo m;}&&(echo n)||echo o
