"""Granian, which has no keepalive: ``granian_app.py PORT``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from granian import Granian


def main() -> None:
    # Its workers import the app.
    os.chdir(Path(__file__).parent)
    sys.path.insert(0, str(Path(__file__).parent))
    Granian("echo_asgi:app", address="127.0.0.1", port=int(sys.argv[1]), interface="asgi").serve()


if __name__ == "__main__":
    main()
