"""What ends a server under test where pytest could not: it was killed, or left by ``os._exit``."""

from __future__ import annotations

import os
import subprocess
import sys

# Seconds that the server gets to end by itself.
_PATIENCE = 5
# Whoever is left by its parent gets another, however that ended. (The end of a pipe does not come as long as
# another process has it too, such as one that pytest has forked.)
_PROGRAM = """
import os, signal, sys, time

def tell(number):
    try:
        os.killpg(int(sys.argv[1]), number)
    except OSError:
        sys.exit()

while os.getppid() == int(sys.argv[3]):
    time.sleep(0.1)
tell(signal.SIGTERM)
# A stopped process takes no signal but SIGKILL.
tell(signal.SIGCONT)
end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    time.sleep(0.02)
    tell(0)
tell(signal.SIGKILL)
"""


class Watchdog:
    """
    A process that outlives this one, and ends a server that this one has left behind.

    What a thread of pytest-timeout ends, a test of pytest-forked, and a worker of pytest-xdist that crashes
    run no code at their end. Windows has no groups of processes that could be ended so.

    """

    def __init__(self, group: int) -> None:
        """
        Begin to watch.

        Args:
            group: the number of the server's group of processes.

        """
        self._process: subprocess.Popen[bytes] | None = None
        if os.name == "posix":
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(group), str(_PATIENCE), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # What is sent to the group of pytest is not for it.
                start_new_session=True,
            )

    def leave(self) -> None:
        """Watch no longer, and do nothing; before the number of the group may be another's."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
