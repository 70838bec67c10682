# `command` takes a special builtin's specialness away.
command set -o nosuchoption 2>/dev/null; echo $?
command . ./nosuch 2>/dev/null; echo $?
command shift 5 2>/dev/null; echo $?
x=1 command :; echo ${x-unset}
y=1 :; echo ${y-unset}
z=1 export w; echo ${z-unset}
command exec 3>f; echo x >&3; cat f
