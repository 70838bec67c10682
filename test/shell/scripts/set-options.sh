set -e -u; echo $- | tr -d '\n' | wc -c | tr -d ' '; set +e +u
case $- in *e*) echo e on;; *) echo e off;; esac
set -eu; case $- in *e*) echo e on;; esac; case $- in *u*) echo u on;; esac
set +eu
set -o errexit; case $- in *e*) echo e on;; esac; set +o errexit
set a b c; echo $# $1; set -- -x y; echo $1; set -- ; echo $#
set - p q; echo $*
set -f -- '*'; echo $1; set +f
