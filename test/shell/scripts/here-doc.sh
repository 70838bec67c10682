x=val
cat <<E
plain $x ${x}s $(echo cmd) `echo tick` $((1+1)) \$x \\ \a "q" 'q'
E
cat <<'E'
plain $x $(echo cmd) `echo` \$x \\
E
cat <<\E
also $x
E
cat <<"E O F"
space in delimiter
E O F
cat <<-E
	tabs	gone
		both
	E
cat <<E
joined \
line
E
