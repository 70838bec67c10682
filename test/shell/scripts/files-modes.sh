: >f; chmod 640 f; ls -l f | cut -c1-10; chmod u+x,o=r f; ls -l f | cut -c1-10; chmod a-w f; ls -l f | cut -c1-10
mkdir d; chmod 1777 d; ls -ld d | cut -c1-10; chmod 755 d; mkdir -m 700 e; ls -ld e | cut -c1-10
chmod 4711 f; ls -l f | cut -c1-10; chmod 0 f; ls -l f | cut -c1-10
