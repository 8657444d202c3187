"""How a probe is asked for on the command line."""

from __future__ import annotations

import math
import shlex

from ..redact import redact_url


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
