x='é'; echo "$x" | cat; echo "naïve café"; case é in é) echo same;; esac
: >ü; ls; for f in *; do echo "$f"; done; printf '%s\n' 'ä ö'
x='añb'; echo ${x#a} ${x%b} ${x%ñ*} ${x#*ñ}
printf '\303\251\n'; printf '\303' | wc -c | tr -d ' '; y=$(printf '\377x'); printf '%s' "$y" | wc -c | tr -d ' '
