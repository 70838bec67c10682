echo hello | cat; echo hello | cat | cat | tr a-z A-Z
printf 'b\na\nc\n' | sort | head -n 1
echo x | { read y; echo "got $y"; }
echo x | (read y; echo "sub $y")
false | true; echo $?; true | false; echo $?
! true; echo $?; ! false; echo $?; ! false | true; echo $?
x=outer; echo inner | read x; echo $x
echo a |
  cat |

  cat
