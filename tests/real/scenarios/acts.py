"""What is done to servers, in their operators' words."""

from __future__ import annotations

import signal

from ..play import Act

TERMINATE = Act(signal.SIGTERM)
KILL = Act(signal.SIGKILL)
FREEZE = Act(signal.SIGSTOP, undo=signal.SIGCONT)
KILL_BACKEND = Act(signal.SIGKILL, behind=True)
FREEZE_BACKEND = Act(signal.SIGSTOP, undo=signal.SIGCONT, behind=True)
# nginx reads its configuration anew: the old worker has worker_shutdown_timeout left.
RELOAD = Act(signal.SIGHUP)
# haproxy stops listening: its connections have hard-stop-after left.
SOFT_STOP = Act(signal.SIGUSR1)
