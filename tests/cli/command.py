"""The command in a process of its own, and what it prints to when somebody looks on."""

from __future__ import annotations

import io
import sys

COMMAND = [
    sys.executable,
    "-c",
    "import sys; from pytest_wsstability.cli import main; sys.exit(main(sys.argv[1:]))",
]


class Terminal(io.StringIO):
    """What stdout and stderr are when somebody looks at them."""

    def isatty(self) -> bool:
        return True
