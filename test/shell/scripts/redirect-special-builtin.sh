( : <nosuch; echo not reached ); echo $?
( command : <nosuch; echo reached ); echo $?
( export x=1 <nosuch; echo not reached ); echo $?
( true <nosuch; echo reached ); echo $?
