f() { false; echo no; }
(set -e; f; echo no); echo $?
(set -e; f || true; echo yes); echo $?
(set -e; if f; then echo then; fi; echo end); echo $?
(set -e; ! f; echo after-not); echo $?
(set -e; f && echo and; echo end); echo $?
(set -e; (false); echo no); echo $?
(set -e; { false; }; echo no); echo $?
(set -e; false | true; echo yes); echo $?
(set -e; true | false; echo no); echo $?
(set -e; eval false; echo no); echo $?
(set -e; case x in x) false;; esac; echo no); echo $?
