( echo ${nope?} ); echo $?
( echo ${nope:?} ); echo $?
( echo ${nope?is missing} ); echo $?
x=; ( echo ${x:?empty here} ); echo $?
( echo ${x?fine} ); echo $?
echo ${nope:?ends the script}
echo not reached
