"""
The wsstability command: its options, and the one gate that loads a command's module.

A command's module imports what it needs at its top, net and websockets too; `wsstability --help` loads none.

"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from ..core.secret_values import MASK
from ..core.version import __version__
from .exits import CUT_OFF, INTERRUPTED, USAGE
from .output import escape_what_cannot_be_written, say
from .stopping import forget_output, lossy_errors, open_closed_streams, stoppable

# At the beginning, or in brackets: "heartbeat_every: 2 s is not shorter than the hold (alive_for=1 s)".
_KEYWORD = re.compile(r"(?:\A|(?<=\())[a-z_]+(?=[:=])")
DURATIONS = "seconds, or 500ms, 25s, 2m, 1m30s, 24h"
# Each command, which is a module here, and what it is for.
COMMANDS = {
    "explain": "say what a code at the end of a failure means",
    "fleet": "hold many connections to a URL, and say what so many can show",
    "hold": "hold one connection to a URL and say how it went",
    "probe": "find out which timers rule a URL, and which traffic resets them",
    "report": "merge and show the report files of earlier runs",
    "serve": "run the reference orchestrator for clients in any language",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Args:
        arguments: those of the command line; None takes the process's own.

    Returns:
        0 stable, 1 unstable or not opened, 2 usage, 3 inconclusive, 130 interrupted (143 by SIGTERM, 129 by
        SIGHUP), 141 when nobody reads what it prints.

    """
    open_closed_streams()
    escape_what_cannot_be_written()
    with lossy_errors(), stoppable() as stop:
        try:
            status = _run(_parse(arguments))
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            status = INTERRUPTED
    return stop.status if status == INTERRUPTED else status


def load(name: str) -> ModuleType:
    """The module of a command: `add_options`, `run`, and EPILOG, which says what it exits with."""
    return import_module(f".{name}", __package__)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        # What a mistyped --header was to send is nobody's to read.
        named = [each.partition("=")[0] if each.startswith("-") else MASK for each in unknown]
        parser.error(f"unrecognized arguments: {' '.join(named)}")
    return options


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
        reason = _reason(exc)
        say(f"wsstability {options.command}: {_with_options(reason, options.named)}", sys.stderr)
        _drop_unwritten()
        return USAGE


def _reason(exc: Exception) -> str:
    """The error in words, with the file that it is about."""
    if not isinstance(exc, OSError) or not exc.strerror:
        return str(exc)
    return f"{exc.filename}: {exc.strerror}" if exc.filename else exc.strerror


def _with_options(reason: str, named: Mapping[str, str]) -> str:
    """An error that names a keyword, with the option that gives it."""
    return _KEYWORD.sub(lambda match: named.get(match[0], match[0]), reason)


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
        print(shtab.complete(_parser(loaded=True), shell=values))
        parser.exit(0)


class _Command(argparse.ArgumentParser):
    """A command's parser, which has its options once the command is asked for."""

    def __init__(self, *, command: str, **keywords: Any) -> None:
        self._command = command
        # Options by the keywords that they become, which errors name.
        self._named: dict[str, str] = {}
        super().__init__(**keywords)

    def add_argument(self, *names: Any, **keywords: Any) -> argparse.Action:
        action = super().add_argument(*names, **keywords)
        if action.option_strings:
            option = action.option_strings[-1]
            # `sources` of a fleet is `source` of a connection.
            self._named[option.removeprefix("--").replace("-", "_")] = self._named[action.dest] = option
        return action

    def load(self) -> None:
        """Add the options."""
        module = load(self._command)
        module.add_options(self)
        self.set_defaults(run=module.run, named=self._named)
        durations = f"; DURATION: {DURATIONS}" if "DURATION" in self.format_usage() else ""
        self.epilog = f"{module.EPILOG}{durations}"

    def parse_known_args(self, *arguments: Any, **keywords: Any) -> Any:
        self.load()
        return super().parse_known_args(*arguments, **keywords)


def _parser(*, loaded: bool = False) -> argparse.ArgumentParser:
    """The whole command; ``loaded`` with the options of each, which else wait until one is asked for."""
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
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Command)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, command=name)
        if loaded:
            command.load()
    return parser
