lock() { mkdir lock 2>/dev/null; }; unlock() { rmdir lock; }
if lock; then echo locked; fi; if lock; then echo twice; else echo busy; fi; unlock; lock && echo again; unlock
(set -C; : >pid) 2>/dev/null && echo made; (set -C; : >pid) 2>/dev/null || echo taken
