umask; umask -S; umask 027; umask; umask -S
: >f; mkdir d; ls -ld f d | cut -c1-10
umask u=rwx,g=rx,o=; umask; umask g+w; umask; umask a-x; umask; umask u=; umask; umask +r; umask; umask o=u; umask
umask 0; : >g; umask 777; : >h; umask 022
umask 8; echo $?
umask xyz; echo $?
(umask 077; : >i); umask
