echo $'a\tb' "$'no'"
