sort data/words; sort -r data/words | head -n 1; sort -u data/words | wc -l | tr -d ' '
grep a data/words | grep -v alpha; grep -c l data/words; grep -q zzz data/words || echo none
sed 's/a/A/g' data/words | tail -n 2; sed -n 2p data/words; tr a-z A-Z <data/words | head -n 1
head -n 2 data/words; tail -n 1 data/words; wc -l <data/words | tr -d ' '
cut -d' ' -f1 data/table | tr '\n' ,; echo
