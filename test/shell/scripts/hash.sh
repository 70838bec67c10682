hash -r; hash ls && echo hashed; hash nosuchcmd 2>/dev/null; echo $?
mkdir p; printf '#!/bin/sh\necho first\n' >p/tool; chmod +x p/tool; PATH=$PWD/p:$PATH; tool
mkdir q; printf '#!/bin/sh\necho second\n' >q/tool; chmod +x q/tool; PATH=$PWD/q:$PATH; tool
rm q/tool; tool; rm p/tool; tool 2>/dev/null; echo $?
