i=0; while [ $i -lt 30 ]; do eval "var_$i=$((i*i))"; i=$((i+1)); done
echo $var_0 $var_5 $var_29; i=0 s=0; while [ $i -lt 30 ]; do eval "s=\$((s + var_$i))"; i=$((i+1)); done; echo $s
set | grep '^var_1=' ; unset var_1; set | grep -c '^var_'
name=dyn; eval "$name='a b'"; eval "echo \"\$$name\""; q="it's"; set | grep '^q='
