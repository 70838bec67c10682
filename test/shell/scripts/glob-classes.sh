mkdir k; cd k
for f in a B 1 _ -x .y zz; do : >./$f; done
echo [[:alpha:]] ; echo [[:digit:]_] ; echo [![:alpha:]]*; echo [[:upper:][:lower:]]*
echo [a-] ; echo [-]* ; echo []]* 
echo [[:nope:]]* ; echo [a ; echo a]
