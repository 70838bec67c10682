if tr\
ue; th\
en ec\
ho joined; fi
x=ab\
cd
echo "$x" ${x\
}
echo one \
  two \
  three
