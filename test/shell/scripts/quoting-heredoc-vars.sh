name="O'Neil"; q='"'; b='\'
cat <<E
name: $name q: $q b: $b "quoted" 'single' $name"$name"
\\$b \`x\` \$name ${name#O} ${name:+"q"} ${nope:-'n'}
E
x=$(cat <<'E'
raw $name `no` "x"
E
); echo "$x"
