x=abc123def
echo ${x#[a-z]} ${x##[a-z]*[0-9]} ${x%[a-z]} ${x%%[0-9]*}
echo ${x#[!0-9]} ${x##*[[:digit:]]} ${x%%[[:digit:]]*}
x='  trim me  '
x=${x#"${x%%[! ]*}"}; x=${x%"${x##*[! ]}"}; echo "[$x]"
x=a.b.c; IFS=.; echo ${x#*.}; echo "${x#*.}"
