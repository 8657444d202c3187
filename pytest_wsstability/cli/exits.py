"""What the commands exit with."""

from __future__ import annotations

STABLE, UNSTABLE, USAGE, INCONCLUSIVE = 0, 1, 2, 3
INTERRUPTED = 130
# As shells have it for SIGPIPE.
CUT_OFF = 141
