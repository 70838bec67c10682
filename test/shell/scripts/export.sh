x=1; sh -c 'echo [$x]'; export x; sh -c 'echo [$x]'; x=2; sh -c 'echo [$x]'
export y=3 z; z=4; sh -c 'echo [$y$z]'
export x=5; unset x; sh -c 'echo [$x]'
export q="a b'c"; export -p | grep ' q='
a='x y'; export b=$a; echo "$b"; export c=~/d; [ "$c" = "$HOME/d" ] && echo tilde
(export 1bad; echo no); echo $?
sh -c 'export v=in; sh -c "echo \$v"'; echo ${v-unset}
