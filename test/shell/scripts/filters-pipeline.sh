cat data/table | while read n a c; do echo "$c $n"; done | sort | sed 's/ /:/' | tr ':' '-'
sort -k2 -n data/table | head -n 1; awk '{ s += $2 } END { print s }' data/table
grep red data/table | cut -d' ' -f1 | sort -r | tr '\n' ' '; echo
sed -e 's/^/> /' -e '/bob/d' data/table | head -n 2
printf 'b 2\na 1\n' | sort | awk '{ print $2 }'
uniq data/words | wc -l | tr -d ' '; sort data/words | uniq -d
