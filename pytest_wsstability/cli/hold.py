"""`wsstability hold`: one hold of a URL."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from typing import TYPE_CHECKING, Any, TextIO

from .connecting import add_connect_options, connect_options, opening_error, opening_message
from .exits import INCONCLUSIVE, STABLE, UNSTABLE
from .output import add_output_options, say, say_json, say_message, style_of
from .reports import ReportFiles, add_report_option

if TYPE_CHECKING:
    from ..core.judge.requirement import Requirement
    from ..core.result import Result
    from ..net.connection import Connection
    from ..net.errors import OpeningError
    from ..net.hold import Soak

# Seconds between two lines of progress: on a terminal the line is written over.
_LIVE, _PLAIN = 0.5, 30.0

HELP = "hold one connection to a URL and say how it went"
EPILOG = "exit: 0 stable, 1 unstable or not opened, 2 usage, 3 inconclusive, 130 interrupted"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
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
    add_connect_options(parser, auto=True)
    add_report_option(parser)
    add_output_options(parser, json="one JSON object in the end, nothing else")


def run(options: argparse.Namespace) -> int:
    """Hold one connection; returns the exit code."""
    from ..core.judge.requirement import Requirement
    from ..core.judge.verdict import Outcome
    from ..net.errors import OpeningError
    from ..net.hold import hold

    values = {
        "alive_for": options.alive_for,
        "heartbeat_every": options.heartbeat,
        "heartbeat_within": options.within,
        "session_within": options.session_within,
    }
    requirement = Requirement.of(**{name: value for name, value in values.items() if value is not None})
    reports = ReportFiles(options.report)
    try:
        _detected(options)
    except OpeningError as exc:
        return _tell_opening(exc, options)
    _refuse_unseen(options)
    progress = _Progress(sys.stderr, requirement.alive_for or 0.0, options)
    coroutine = hold(
        requirement,
        url=options.url,
        client=options.client,
        opened=progress.start,
        **connect_options(options),
    )
    try:
        soaked = asyncio.run(coroutine)
    except OpeningError as exc:
        return _tell_opening(exc, options)
    except KeyboardInterrupt:
        if progress.connection is not None:
            soaked = _interrupted(requirement, progress.connection)
            _tell(soaked, options)
            reports.write(_result(soaked))
        raise
    finally:
        progress.stop()
    _tell(soaked, options)
    reports.write(_result(soaked))
    codes = {Outcome.STABLE: STABLE, Outcome.UNSTABLE: UNSTABLE, Outcome.INCONCLUSIVE: INCONCLUSIVE}
    return codes[soaked.verdict.outcome]


def _result(soaked: Soak) -> Result:
    """What came of the hold, for a report."""
    from ..core.result import Result

    return Result(
        nodeid=f"wsstability hold {soaked.url}",
        url=soaked.url,
        requirement=soaked.requirement,
        verdict=soaked.verdict,
        timelines=tuple(soaked.timelines),
    )


def _detected(options: argparse.Namespace) -> None:
    """Take the profile that the server speaks, where none was named."""
    if options.profile != "auto":
        return
    from ..net.detecting import detect

    found = asyncio.run(detect(options.url, **connect_options(options)))
    options.profile = found.profile
    print(f"this looks like {found.title}: --profile {found.profile}", file=sys.stderr)


def _tell_opening(exc: OpeningError, options: argparse.Namespace) -> int:
    if options.json:
        say_json(_not_opened(exc, opening_error(exc)))
    else:
        say_message(opening_message(exc), options, ("red", "bold"))
    return UNSTABLE if exc.shortage is None else INCONCLUSIVE


def _tell(soaked: Soak, options: argparse.Namespace) -> None:
    if options.json:
        say_json(_as_json(soaked))
    else:
        say_message(_as_text(soaked), options, style_of(soaked.verdict.outcome))


def _interrupted(requirement: Requirement, connection: Connection) -> Soak:
    """What the hold saw; the connection is closed by now."""
    from ..core.judge.interrupted import interrupted
    from ..net.hold import Soak

    verdict = interrupted(requirement, connection.timelines[0])
    return Soak(requirement, verdict, connection.timelines, url=connection.url)


class _Progress:
    """How a hold goes on: one line written over on a terminal, a line now and then elsewhere."""

    def __init__(self, stream: TextIO, seconds: float, options: argparse.Namespace) -> None:
        from ..report.colours import is_coloured
        from ..report.live import LiveBlock

        self._stream = stream
        self._seconds = seconds
        self._quiet = options.json
        self._live = stream.isatty()
        self._coloured = is_coloured(stream, options.color)
        self._block = LiveBlock()
        self._timer: asyncio.TimerHandle | None = None
        # The one that is held; None until it is open.
        self.connection: Connection | None = None

    def start(self, connection: Connection) -> None:
        """Report on a connection until `stop`."""
        self.connection = connection
        if not self._quiet:
            self._tick(connection)

    def _tick(self, connection: Connection) -> None:
        from ..report.progress import Survey

        survey = Survey.of([(connection.url, self._seconds, connection.timeline)], 1)
        if self._live:
            width = shutil.get_terminal_size().columns
            rows = survey.rows(1, width)
            self._block.draw(self._stream, rows, width=width, coloured=self._coloured)
        else:
            say(survey.close[0].line, self._stream)
        delay = _LIVE if self._live else _PLAIN
        self._timer = asyncio.get_running_loop().call_later(delay, self._tick, connection)

    def stop(self) -> None:
        """Report no more; the last line stays."""
        if self._timer is not None:
            self._timer.cancel()
        if self._block.shown:
            self._stream.write("\n")


def _as_text(soaked: Soak) -> str:
    from ..core.duration import show_duration as show
    from ..core.message.errors import StabilityError

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
    from ..core.plain import plain

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
        "profile": None if timeline.protocol is None else timeline.protocol.name,
        "intervals": None if timeline.intervals is None else timeline.intervals._asdict(),
        "diagnosis": plain(verdict.diagnosis),
    }


def _not_opened(exc: OpeningError, error: str) -> dict[str, Any]:
    from ..core.plain import plain

    return {"outcome": "not opened", "error": error, "diagnosis": plain(exc.diagnosis)}


def _refuse_unseen(options: argparse.Namespace) -> None:
    """Refuse a promise that this hold could not see kept: it would end as a verdict on the server."""
    from ..profiles.catalogue import find

    if options.within is not None and options.heartbeat is None:
        raise ValueError("--within: answers to what? give --heartbeat too")
    if options.session_within is not None and not find(options.profile).has_session:
        raise ValueError(f"--session-within: the profile {options.profile!r} has no session to confirm")
