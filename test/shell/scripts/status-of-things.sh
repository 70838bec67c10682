x=1; echo $?; x=$(false); echo $?; f() { :; }; false; f; echo $?; false; : ; echo $?
false; x=1; echo $?; false; >f; echo $?; false; { :; }; echo $?
false; for i in; do :; done; echo $?; false; case a in b) ;; esac; echo $?
false; while false; do :; done; echo $?; false; if false; then :; fi; echo $?
false; f() { echo "in f $?"; }; f; false; (echo "in sub $?"); false; echo $(echo "in cs $?")
