set --; echo "${@-none}" ${@-none} "${*-none}"
