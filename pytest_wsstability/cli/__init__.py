"""The wsstability command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ..core.secret_values import MASK
from . import explain, fleet, hold, probe, report, serve
from .exits import CUT_OFF, INTERRUPTED, USAGE
from .output import say
from .stopping import forget_output, stoppable

DURATIONS = "seconds, or 500ms, 25s, 2m, 1m30s, 24h"
COMMANDS = {
    "explain": explain, "fleet": fleet, "hold": hold, "probe": probe, "report": report, "serve": serve,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        arguments: those of the command line; None takes the process's own.

    Returns:
        0 stable, 1 unstable or not opened, 2 usage, 3 inconclusive, 130 interrupted (143 by SIGTERM, 129 by
        SIGHUP), 141 when nobody reads what it prints.

    """
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        # What a mistyped --header was to send is nobody's to read.
        named = [each.partition("=")[0] if each.startswith("-") else MASK for each in unknown]
        parser.error(f"unrecognized arguments: {' '.join(named)}")
    with stoppable() as stop:
        status = _run(options)
    return stop.status if status == INTERRUPTED else status


def _run(options: argparse.Namespace) -> int:
    try:
        status = int(options.run(options))
        # A disk that is full is found out here, where the exit code can still tell.
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        forget_output()
        return CUT_OFF
    except (TypeError, ValueError, OSError) as exc:
        # A wrong value, or a port in use: the user's to mend, and no traceback helps.
        say(f"wsstability {options.command}: {_reason(exc)}", sys.stderr)
        _drop_unwritten()
        return USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _reason(exc: Exception) -> str:
    """The error in words, with the file that it is about."""
    if not isinstance(exc, OSError) or not exc.strerror:
        return str(exc)
    return f"{exc.filename}: {exc.strerror}" if exc.filename else exc.strerror


def _drop_unwritten() -> None:
    """Leave nothing in the buffer of standard output that would fail again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        forget_output()


class _Completion(argparse.Action):
    """Prints the completion for a shell, and ends."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        try:
            shtab = import_module("shtab")
        except ImportError:
            parser.error("--print-completion needs shtab: pip install 'pytest-wsstability[cli]'")
        print(shtab.complete(parser, shell=values))
        parser.exit(0)


def _parser() -> argparse.ArgumentParser:
    from .. import __version__

    parser = argparse.ArgumentParser(
        prog="wsstability", description="WebSocket stability, without a test suite."
    )
    parser.add_argument(
        "--print-completion",
        action=_Completion,
        choices=("bash", "zsh", "tcsh"),
        help='print what completes this command in a shell: eval "$(wsstability --print-completion bash)"',
    )
    parser.add_argument("--version", action="version", version=f"pytest-wsstability {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, epilog=module.EPILOG)
        module.add_options(command)
        if "DURATION" in command.format_usage():
            command.epilog = f"{module.EPILOG}; DURATION: {DURATIONS}"
        command.set_defaults(run=module.run)
    return parser
