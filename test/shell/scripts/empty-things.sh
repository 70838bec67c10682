sh -c ''; echo $?; sh -c ' '; echo $?; sh -c '
'; echo $?; sh -c '# only'; echo $?
: >e; sh e; echo $?; . ./e; echo $?
''; echo $?
x=; $x; echo $?; $x echo via empty; "$x" 2>/dev/null; echo $?
; echo never 2>/dev/null
