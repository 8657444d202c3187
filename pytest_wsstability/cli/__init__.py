"""The wsstability command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import fleet, hold, probe, report, serve
from .exits import INTERRUPTED, USAGE
from .output import say

_COMMANDS = {"fleet": fleet, "hold": hold, "probe": probe, "report": report, "serve": serve}


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        arguments: those of the command line; None takes the process's own.

    Returns:
        0 stable, 1 unstable or not opened, 2 usage, 3 inconclusive, 130 interrupted.

    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except (TypeError, ValueError, OSError) as exc:
        # A wrong value, or a port in use: the user's to mend, and no traceback helps.
        detail = getattr(exc, "strerror", None) or exc
        say(f"wsstability {options.command}: {detail}", sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    from .. import __version__

    parser = argparse.ArgumentParser(
        prog="wsstability", description="WebSocket stability, without a test suite."
    )
    parser.add_argument("--version", action="version", version=f"pytest-wsstability {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in _COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, epilog=module.EPILOG)
        module.add_options(command)
        command.set_defaults(run=module.run)
    return parser
