cmd='echo a b'; $cmd; $cmd c; x='-n'; echo $x no newline; echo
e=''; $e echo skipped empty; args='"quoted" not'; echo $args
set -- $(printf 'a\nb c\n'); echo $#; set -- "$(printf 'a\nb c\n')"; echo $#
list='a:b:c'; IFS=:; for i in $list; do echo $i; done; for i in a:b; do echo $i; done
