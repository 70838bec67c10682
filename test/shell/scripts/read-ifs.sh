r() { IFS=$1 read a b c; echo "[$a][$b][$c]"; }
echo 'x:y:z:w' | r :
echo 'x:y' | r :
echo '::z' | r :
echo ' x : y : z ' | r :
echo ' x : y : z ' | r ' :'
echo 'x:y:z:' | r :
echo 'x:y:z::' | r :
echo 'x,y;z' | r ',;'
echo 'axbxc' | r x
printf 'a\tb c\td\n' | r '	'
