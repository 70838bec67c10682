x=5 y=3
echo $((x+y)) $(($x+$y)) $((x*y-2)) $((${x}0+1)) $((unset_one+1))
echo $((x=7)) $x $((x+=2)) $x $((x-=1)) $((x*=3)) $((x/=4)) $((x%=4)) $x
echo $((x<<=3)) $((x>>=1)) $((x|=1)) $((x&=6)) $((x^=5)) $x
echo $((a=b=4)) $a $b
z=0x10; echo $((z+1)); z=010; echo $((z+1)); z=-3; echo $((z*z)); z=' 12 '; echo $((z+1))
op=+; echo $((1 $op 2)); e='2*3'; echo $(($e+1))
i=0; while [ $((i+=1)) -le 3 ]; do echo $i; done
