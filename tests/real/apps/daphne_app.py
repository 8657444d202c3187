"""
Daphne with its keepalive, which it looks at every two seconds: ``daphne_app.py PORT [OPTION ...]``.

Its timeout of 2 s runs out after 1 to 2 s, as autobahn rounds it down; one of 1 s may end at once (measured).

"""

from __future__ import annotations

import sys
from pathlib import Path

from daphne.cli import CommandLineInterface


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    CommandLineInterface().run([
        "-b", "127.0.0.1", "-p", sys.argv[1], "--ping-interval", "1", "--ping-timeout", "2", "-v", "0",
        *sys.argv[2:], "echo_asgi:app",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
