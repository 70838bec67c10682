n=0; [ -f count ] && read n <count; echo $((n+1)) >count; cat count
for i in 1 2 3; do read n <count; echo $((n+1)) >count; done; cat count
i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo $i; done >nums; wc -l <nums | tr -d ' '; tail -n 1 nums
s=0; while read n; do s=$((s+n)); done <nums; echo $s
