set -eu
src=data dst=backup; mkdir -p "$dst"
count=0
for f in "$src"/*; do
  [ -f "$f" ] || continue
  cp "$f" "$dst/${f##*/}.bak"; count=$((count + 1))
done
echo "copied $count"; ls "$dst"
trap 'echo "done $?"' EXIT
[ -s "$dst/words.bak" ] && echo not empty
