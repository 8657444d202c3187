"""The wsstability command: the reference orchestrator on a port, and one hold of a URL."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from .net.connection import Connection
    from .net.soak import Soak

# What the command exits with.
STABLE, UNSTABLE, USAGE, INCONCLUSIVE = 0, 1, 2, 3
INTERRUPTED = 130

# Seconds between two lines of progress: on a terminal the line is written over.
_LIVE, _PLAIN = 0.5, 30.0


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
        print(f"wsstability {options.command}: {detail}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(
        prog="wsstability", description="WebSocket stability, without a test suite."
    )
    parser.add_argument("--version", action="version", version=f"pytest-wsstability {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_hold(
        commands.add_parser(
            "hold",
            help="hold one connection to a URL and say how it went",
            epilog="exit: 0 stable, 1 unstable or not opened, 2 usage, 3 inconclusive, 130 interrupted",
        )
    )
    _add_serve(
        commands.add_parser(
            "serve",
            help="run the reference orchestrator for clients in any language",
            epilog="runs until Ctrl-C; exit: 130 interrupted, 2 usage or port in use",
        )
    )
    return parser


def _add_hold(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", help="ws:// or wss://")
    add("--for", dest="alive_for", default="2m", metavar="DURATION", help="how long (default: 2m)")
    add("--heartbeat", metavar="DURATION", help="a heartbeat this often, each answered within --within")
    add("--within", metavar="DURATION", help="time for an answer (default: the interval)")
    add(
        "--session-within",
        metavar="DURATION",
        help="time for the session's confirmation (default: not required)",
    )
    add("--client", default="browser", help="browser (default), mute, stalled or keepalive")
    add("--profile", default="json", help="json (default) or frames")
    add("--header", action="append", default=[], metavar="'Name: value'", help="a request header; repeats")
    add("--subprotocol", action="append", default=[], metavar="NAME", help="a subprotocol to offer; repeats")
    add("--ca", metavar="FILE", help="PEM file with the certificate authorities to trust")
    add("--insecure", action="store_true", help="do not check the server's certificate")
    add("--json", action="store_true", help="one JSON object in the end, nothing else")
    parser.set_defaults(run=hold)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    add("--port", type=_port, default=8765, help="0 takes a free one (default: 8765)")
    add("--read-deadline", default="60s", metavar="DURATION", help="or none (default: 60s)")
    add("--ping-interval", default="30s", metavar="DURATION", help="or none (default: 30s)")
    add("--deadline-reset-by", default="pong", metavar="KINDS", help="of pong,ping,data,heartbeat,any")
    add("--on-deadline", default="drop", metavar="ACTION", help="drop (default), or a close code")
    add("--profile", default="json", help="json (default) or frames")
    add("--echo", action="store_true", help="send each application message back")
    add("--json", action="store_true", help="a JSON object for each session that ends")
    parser.set_defaults(run=serve)


def hold(options: argparse.Namespace) -> int:
    """Hold one connection; returns the exit code."""
    from .core.requirement import Requirement
    from .core.verdict import Outcome
    from .net.errors import OpeningError
    from .net.soak import soak
    from .net.target import TLS

    values = {
        "alive_for": options.alive_for,
        "heartbeat_every": options.heartbeat,
        "heartbeat_within": options.within,
        "session_within": options.session_within,
    }
    requirement = Requirement.of(**{name: value for name, value in values.items() if value is not None})
    _refuse_unseen(options)
    progress = _Progress(sys.stderr, requirement.alive_for or 0.0, quiet=options.json)
    coroutine = soak(
        requirement,
        url=options.url,
        client=options.client,
        profile=options.profile,
        headers=[_header(line) for line in options.header],
        subprotocols=options.subprotocol,
        tls=TLS(ca=options.ca, insecure=options.insecure),
        watch=progress.start,
    )
    try:
        soaked = asyncio.run(coroutine)
    except OpeningError as exc:
        # The advice in it names the options of the plugin; ours are the same without the prefix.
        error = str(exc).replace("--ws-", "--")
        print(json.dumps({"outcome": "not opened", "error": error}) if options.json else error)
        return UNSTABLE
    finally:
        progress.stop()
    print(json.dumps(_as_json(soaked)) if options.json else _as_text(soaked))
    codes = {Outcome.STABLE: STABLE, Outcome.UNSTABLE: UNSTABLE, Outcome.INCONCLUSIVE: INCONCLUSIVE}
    return codes[soaked.verdict.outcome]


class _Progress:
    """How a hold goes on: one line written over on a terminal, a line now and then elsewhere."""

    def __init__(self, stream: TextIO, seconds: float, *, quiet: bool) -> None:
        self._stream = stream
        self._seconds = seconds
        self._quiet = quiet
        self._live = stream.isatty()
        self._timer: asyncio.TimerHandle | None = None
        self._shown = False

    def start(self, connection: Connection) -> None:
        """Report on a connection until `stop`."""
        if not self._quiet:
            self._tick(connection)

    def _tick(self, connection: Connection) -> None:
        from .core.duration import show_duration as show

        timeline = connection.timeline
        beats = timeline.heartbeats
        parts = [f"{timeline.duration:.0f} s of {show(self._seconds)}", connection.url]
        if timeline.session_confirmed_at is not None:
            parts.append(f"session confirmed after {show(timeline.session_confirmed_at)}")
        if beats.sent:
            parts.append(f"heartbeats {beats.answered} of {beats.sent} answered")
        if beats.answered:
            parts.append(f"slowest {show(beats.rtts.maximum)}")
        line = " · ".join(parts)
        self._stream.write(f"\r\x1b[K{line}" if self._live else f"{line}\n")
        self._stream.flush()
        self._shown = True
        delay = _LIVE if self._live else _PLAIN
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick, connection)

    def stop(self) -> None:
        """Report no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._shown and self._live:
            self._stream.write("\n")


def _as_text(soaked: Soak) -> str:
    from .core.assertions import StabilityError
    from .core.duration import show_duration as show

    try:
        verdict = soaked.assert_stable()
    except StabilityError as exc:
        # An inconclusive one says so itself.
        said, outcome = str(exc), soaked.verdict.outcome.value
        return said if said.startswith(outcome) else f"{outcome}: {said}"
    beats = soaked.timeline.heartbeats
    answers = f", {beats.answered} of {beats.sent} heartbeats answered" if beats.sent else ""
    return f"stable: {soaked.url} alive for {show(verdict.horizon)} in {verdict.tier.value}{answers}"


def _as_json(soaked: Soak) -> dict[str, Any]:
    verdict, timeline = soaked.verdict, soaked.timeline
    beats = timeline.heartbeats
    return {
        "outcome": verdict.outcome.value,
        "headline": verdict.headline,
        "url": soaked.url,
        "tier": verdict.tier.value,
        "horizon": verdict.horizon,
        "violations": [
            {"rule": each.rule.value, "at": each.at, "expected": each.expected, "observed": each.observed}
            for each in verdict.violations
        ],
        "doubts": [{"reason": each.reason.value, "text": each.text} for each in verdict.doubts],
        "heartbeats": {
            "sent": beats.sent,
            "answered": beats.answered,
            "slowest": beats.rtts.maximum if beats.answered else None,
        },
        "session_confirmed_at": timeline.session_confirmed_at,
    }


def _refuse_unseen(options: argparse.Namespace) -> None:
    """Refuse a promise that this hold could not see kept: it would end as a verdict on the server."""
    from .net.client import profile_of

    if options.within is not None and options.heartbeat is None:
        raise ValueError("--within: answers to what? give --heartbeat too")
    if options.session_within is not None and not profile_of(options.profile).has_session:
        raise ValueError(f"--session-within: the profile {options.profile!r} has no session to confirm")


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip() or " " in name.strip():
        # Nothing of the line is shown: without a name, all of it may be the secret.
        raise ValueError("--header: a value without a header's name; give 'Name: value'")
    return name.strip(), value.strip()


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give 0 to 65535")
    return int(text)


def serve(options: argparse.Namespace) -> int:
    """Run the reference orchestrator until it is interrupted."""
    from .net.orchestrator import Orchestrator

    action = options.on_deadline
    orchestrator = Orchestrator(
        read_deadline=_or_none(options.read_deadline),
        ping_interval=_or_none(options.ping_interval),
        deadline_reset_by=[kind.strip() for kind in options.deadline_reset_by.split(",")],
        on_deadline=int(action) if action.isdecimal() else action,
        profile=options.profile,
        echo=options.echo,
        host=options.host,
        port=options.port,
        ended=lambda connection: print(_session_line(connection, as_json=options.json), flush=True),
    )
    asyncio.run(_serve(orchestrator, as_json=options.json))
    return STABLE


async def _serve(orchestrator: Any, *, as_json: bool) -> None:
    async with orchestrator:
        print(
            json.dumps({"url": orchestrator.url}) if as_json else f"listening on {orchestrator.url}",
            flush=True,
        )
        loop = asyncio.get_running_loop()
        terminated = loop.create_future()
        # What containers send; sessions are closed as on an interrupt.
        with suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGTERM, terminated.set_result, None)
        await terminated


def _session_line(connection: Connection, *, as_json: bool) -> str:
    timeline = connection.timeline
    assert timeline.close is not None
    if as_json:
        return json.dumps(
            {
                "session": connection.session_id,
                "duration": timeline.duration,
                "close_code": timeline.close.code,
                "close": str(timeline.close),
                "heartbeats": timeline.heartbeats.sent,
            }
        )
    return f"session {connection.session_id or '(none)'}: {timeline.close.headline()}: {timeline.close}"


def _or_none(value: str) -> str | None:
    return None if value == "none" else value
