"""How a probe is asked for on the command line."""

from __future__ import annotations

import math
import shlex

from ..cause import Cause
from ..redact import redact_url

# Causes that may be a timer, or traffic that does not reset one: a probe tells them apart. Where the peer
# said why, it would find nothing.
PROBED = frozenset({
    Cause.IDLE_TIMEOUT, Cause.IDLE_AS_NORMAL, Cause.READ_DEADLINE, Cause.PONG_DEADLINE, Cause.PING_UNANSWERED,
    Cause.HEARTBEAT_UNANSWERED, Cause.KEEPALIVE_TIMEOUT, Cause.PONG_LATE, Cause.ENGINE_IO_PING_TIMEOUT,
    Cause.MAX_AGE, Cause.NAT_EXPIRED, Cause.HALF_OPEN, Cause.RESTART, Cause.CONTROL_FRAMES_LOST,
    Cause.UNDETERMINED,
})  # fmt: skip


def probe_command(url: str, seconds: float) -> str:
    """
    The command that probes a URL for so many seconds: ``wsstability probe URL --max 3m``.

    Args:
        url: the URL under test; its secrets are masked.
        seconds: how long to watch; rounded up.

    """
    whole = math.ceil(seconds)
    length = f"{math.ceil(whole / 60)}m" if whole > 90 else f"{whole}s"
    return f"wsstability probe {shlex.quote(redact_url(url))} --max {length}"
