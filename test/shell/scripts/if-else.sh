if true; then echo a; fi
if false; then echo no; else echo b; fi
if false; then :; elif true; then echo c; else :; fi
if false; then :; elif false; then :; else echo d; fi
if false; then :; fi; echo $?
if (exit 3); then :; else echo $?; fi
if false; true; then echo e; fi
if ! false; then echo f; fi
if [ 1 -gt 2 ] || [ 2 -gt 1 ]; then echo g; fi
if true
then
  if false
  then echo no
  else echo h
  fi
fi
