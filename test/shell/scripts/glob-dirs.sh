mkdir -p p/q/r p/s; : >p/q/f; : >p/s/f; : >p/.h
echo p/*/f; echo p/*/; echo p/*/*/; echo */*/f; echo p/[qs]/f; echo p/.[!.]*
ln -s q p/link; echo p/l*/f; echo p/li*
ln -s nowhere p/dangling; echo p/d*; echo p/dangling; echo p/d*/
