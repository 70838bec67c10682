# Commands that read what follows them in the script.
printf 'echo one\nread x\nthis is data\necho "got $x"\n' | sh
printf 'cat\nrest\nof input\n' | sh
printf 'read x\nfrom a file\necho "$x"\n' >s; sh <s
