printf '#!/bin/sh\necho "run $1"\n' >s; chmod +x s; ./s arg
printf '#!/bin/sh -e\nfalse\necho no\n' >e; chmod +x e; ./e; echo $?
echo 'echo "no shebang $1"' >n; chmod +x n; ./n x
: >empty; chmod +x empty; ./empty; echo $?
printf '#!/no/such/interp\n' >b; chmod +x b; ./b 2>/dev/null; echo $?
PATH=$PWD:$PATH; s by-path
printf '#!/bin/cat\nprinted\n' >c; chmod +x c; ./c
