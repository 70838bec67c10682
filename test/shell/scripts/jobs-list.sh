sleep 0.2 & jobs >j; sed 's/  */ /g' j; wait; jobs; echo "[$(jobs)]"
true & wait; jobs
