x=né; echo ${#x} ${x#?} "${x%?}"; case é in ?) echo one character;; *) echo more;; esac
