"""`wsstability serve`: the reference orchestrator on a port."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
from contextlib import suppress
from importlib import resources

from ..core.faults import Program
from ..core.faults.catalogue import GRAMMAR, fault_in
from ..core.judge.attempts import ConnectionAttempt
from ..core.redact import show_session, show_text
from ..core.timeline.close import CLOSE_CODES
from ..net.connection import Connection
from ..net.server.orchestrator import Orchestrator
from ..net.server.responses import Limits
from .connecting import PROFILES
from .exits import STABLE
from .stopping import forget_output

# Sessions that are over, and that the page may still ask about.
REMEMBERED = 1000

EPILOG = (
    "runs until Ctrl-C; exit: 130 interrupted, 2 usage or port in use. "
    "Faults, for example: --fault 'withhold_pongs at 30s', --fault 'close_with 1012 at 1m', "
    "--fault 'refuse_upgrade 503 retry_after=5s'"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    add("--port", type=_port, default=8765, help="0: a free one (default: 8765)")
    add("--read-deadline", default="60s", metavar="DURATION", help="or none: no deadline (default: 60s)")
    add("--ping-interval", default="30s", metavar="DURATION", help="of ping frames, or none (default: 30s)")
    add(
        "--deadline-reset-by",
        default="pong",
        metavar="KINDS",
        help="one or more of pong,ping,data,heartbeat,any (default: pong)",
    )
    add("--on-deadline", default="drop", metavar="ACTION", help="drop: no close frame (default); or a code")
    add("--profile", default="json", help=PROFILES)
    add("--echo", action="store_true", help="send each application message back")
    add(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help=f"go wrong on purpose: {GRAMMAR}; repeats",
    )
    add(
        "--fault-connections",
        dest="connections",
        type=int,
        metavar="N",
        help="faults in the first N only (default: all)",
    )
    add(
        "--allow-origin",
        dest="allow_origins",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a site whose pages may connect (https://app.example); * for all; repeats",
    )
    add("--max-connections", type=_count, default=1000, metavar="N", help="open at once (default: 1000)")
    add("--json", action="store_true", help="a JSON object for each session, and each client that got none")


def page() -> str:
    """The test page: one file without external resources, knowing what each close code means."""
    html = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    codes = json.dumps({code: entry.name for code, entry in CLOSE_CODES.items()})
    return html.replace("/* close codes */ {}", codes)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of connections; give 1 or more")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give 0 to 65535")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Run the reference orchestrator until it is interrupted, or nobody reads its output any more."""
    if options.connections is not None and not options.fault:
        raise ValueError("--fault-connections: of which faults? give --fault too")
    action = options.on_deadline
    output = _Output(as_json=options.json)
    orchestrator = Orchestrator(
        read_deadline=_or_none(options.read_deadline),
        ping_interval=_or_none(options.ping_interval),
        deadline_reset_by=[kind.strip() for kind in options.deadline_reset_by.split(",")],
        on_deadline=int(action) if action.isdecimal() else action,
        profile=options.profile,
        echo=options.echo,
        host=options.host,
        port=options.port,
        page=page(),
        allow_origins=options.allow_origins,
        limits=Limits(connections=options.max_connections, sessions=REMEMBERED),
        faults=Program.of(map(fault_in, options.fault), connections=options.connections),
        ended=output.ended,
        refused=output.refused,
    )
    asyncio.run(_serve(orchestrator, output))
    return STABLE


async def _serve(orchestrator: Orchestrator, output: _Output) -> None:
    async with orchestrator:
        output.listening(orchestrator.url)
        loop = asyncio.get_running_loop()
        # What containers send, and a terminal that closes; sessions are closed as on an interrupt.
        for name in ("SIGTERM", "SIGHUP"):
            with suppress(NotImplementedError, AttributeError):
                loop.add_signal_handler(getattr(signal, name), output.over.set)
        if output.is_pipe:
            # The writing end of a pipe that nobody reads any more is told so.
            with suppress(NotImplementedError, OSError):
                loop.add_reader(sys.stdout.fileno(), output.over.set)
        await output.over.wait()


class _Output:
    """The lines on standard output; `over` is set when nobody reads them any more."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.over = asyncio.Event()

    @property
    def is_pipe(self) -> bool:
        try:
            return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
        except (OSError, ValueError):
            return False

    def listening(self, url: str) -> None:
        """Where clients connect."""
        shown = f"listening on {url} (test page: http{url.removeprefix('ws')})"
        self._print(json.dumps({"url": url}) if self._as_json else shown)

    def ended(self, connection: Connection) -> None:
        """A connection has ended. Its client chose the session's id: no control character goes out."""
        timeline, session = connection.timeline, connection.session_id
        assert timeline.close is not None
        if self._as_json:
            fields = {
                "session": None if session is None else show_session(session),
                "duration": timeline.duration,
                "close_code": timeline.close.code,
                "close": str(timeline.close),
                "heartbeats": timeline.heartbeats.sent,
            }
            self._print(json.dumps(fields))
        else:
            self._print(
                show_text(
                    f"session {show_session(session)}: {timeline.close.headline()}: {timeline.close}", 1000
                )
            )

    def refused(self, attempt: ConnectionAttempt) -> None:
        """Somebody came who did not get a connection: whoever looks for a client that fails looks here."""
        if self._as_json:
            self._print(json.dumps({"refused": attempt.status, "told": show_text(attempt.told)}))
        else:
            told = f": {attempt.told}" if attempt.told else ""
            self._print(show_text(f"no session: {attempt}{told}", 1000))

    def _print(self, line: str) -> None:
        if self.over.is_set():
            return
        try:
            print(line, flush=True)
        except BrokenPipeError:
            self.over.set()
            forget_output()


def _or_none(value: str) -> str | None:
    return None if value == "none" else value
