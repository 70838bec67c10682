# POSIX leaves [^…] open.
case b in [^a]) echo negated;; *) echo a member;; esac
case ^ in [^a]) echo negated;; *) echo a member;; esac
