"""What the commands print: text and JSON, without the secrets that the command line gave."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

from ..core.redact import printable, redact, redact_text


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines; what would move a cursor in one of them is escaped."""
    shown = "\n".join(map(printable, redact_text(text).split("\n")))
    print(shown, file=stream or sys.stdout, flush=True)


def say_json(value: Any) -> None:
    """Print one JSON object in a line: ASCII, so that nothing in it fools a terminal."""
    print(json.dumps(redact(value)), flush=True)
