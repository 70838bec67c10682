trap 'echo parent' USR1
(kill -USR1 $$; echo in sub); echo after
trap '' TERM; sh -c 'kill $$; echo survived'
(trap 'echo mine' EXIT; :)
x=$(trap 'echo in substitution' EXIT; echo body); echo "$x"
(trap - TERM; trap); trap - USR1; trap
