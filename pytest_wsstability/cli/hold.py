"""`wsstability hold`: one hold of a URL."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from ..core.duration import show_duration as show
from ..core.message.errors import StabilityError
from ..core.plain import plain
from ..core.result import Result
from ..net.connection import Connection
from ..net.detecting import detect
from ..net.errors import OpeningError
from ..net.hold import Soak, hold
from ..profiles.catalogue import find
from ..report.progress import Survey
from .connecting import add_connect_options, add_heartbeat_options, connect_options, requirement_of
from .output import add_output_options, own_options, say_json
from .progress import CommandProgress
from .reports import ReportFiles, add_report_option
from .verdicts import as_json, begun_with, say_message, status_of, style_of, tell_opening

EPILOG = "exit: 0 stable, 1 unstable or not opened, 2 usage, 3 inconclusive, 130 interrupted"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--for", dest="alive_for", default="2m", metavar="DURATION", help="how long (default: 2m)")
    add_heartbeat_options(parser)
    add(
        "--session-within",
        metavar="DURATION",
        help="time for the session's confirmation (default: not required)",
    )
    add("--client", default="browser", help="browser (default), mute, stalled or keepalive")
    add_connect_options(parser, auto=True)
    add_report_option(parser)
    add_output_options(parser, json="one JSON object at the end, nothing else")


def run(options: argparse.Namespace) -> int:
    """Hold one connection; returns the exit code."""
    requirement = requirement_of(options)
    reports = ReportFiles(options.report)
    try:
        _detected(options)
    except OpeningError as exc:
        return tell_opening(exc, options, reports)
    _refuse_unseen(options)
    progress = CommandProgress(options)
    # The connection that is held, once it is open.
    held: list[Connection] = []

    def opened(connection: Connection) -> None:
        held.append(connection)
        _report_on(connection, requirement.alive_for or 0.0, progress)

    coroutine = hold(
        requirement, url=options.url, client=options.client, opened=opened, **connect_options(options)
    )
    try:
        soaked = asyncio.run(coroutine)
    except OpeningError as exc:
        return tell_opening(exc, options, reports)
    except KeyboardInterrupt:
        for connection in held:
            _finish(Soak.interrupted(requirement, connection), options, reports)
        raise
    finally:
        progress.stop()
    _finish(soaked, options, reports)
    return status_of(soaked.verdict.outcome)


def _report_on(connection: Connection, seconds: float, progress: CommandProgress) -> None:
    def survey() -> Survey:
        return Survey.of([(connection.url, seconds, connection.timeline)], 1)

    progress.start(lambda width: survey().rows(1, width), lambda: survey().close[0].line)


def _finish(soaked: Soak, options: argparse.Namespace, reports: ReportFiles) -> None:
    """Say and write what came of the hold."""
    if options.json:
        say_json(own_options(_as_json(soaked)))
    else:
        say_message(_as_text(soaked), options, style_of(soaked.verdict.outcome))
    reports.write(_result(soaked))


def _result(soaked: Soak) -> Result:
    """What came of the hold, for a report."""
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
    found = asyncio.run(detect(options.url, **connect_options(options)))
    options.profile = found.profile
    print(f"this looks like {found.title}: --profile {found.profile}", file=sys.stderr)


def _as_text(soaked: Soak) -> str:
    try:
        verdict = soaked.assert_stable()
    except StabilityError as exc:
        return begun_with(soaked.verdict.outcome, str(exc))
    beats = soaked.timeline.heartbeats
    told = f"{beats.answered} of {beats.sent} heartbeats answered"
    if soaked.timeline.is_one_way:
        told = f"{beats.sent} heartbeats, which nobody answers"
    answers = f", {told}" if beats.sent else ""
    return f"stable: {soaked.url} alive for {show(verdict.horizon)} in {verdict.tier.value}{answers}"


def _as_json(soaked: Soak) -> dict[str, Any]:
    verdict, timeline = soaked.verdict, soaked.timeline
    beats = timeline.heartbeats
    return {
        **as_json(verdict),
        "url": soaked.url,
        "tier": verdict.tier.value,
        "heartbeats": {
            "sent": beats.sent,
            "answered": beats.answered,
            "slowest": beats.known.maximum if beats.known.count else None,
        },
        "session_confirmed_at": timeline.session_confirmed_at,
        "profile": None if timeline.protocol is None else timeline.protocol.name,
        "intervals": None if timeline.intervals is None else timeline.intervals._asdict(),
        "diagnosis": plain(verdict.diagnosis),
    }


def _refuse_unseen(options: argparse.Namespace) -> None:
    """Refuse a promise that this hold could not see kept: it would end as a verdict on the server."""
    if options.session_within is not None and not find(options.profile).has_session:
        raise ValueError(
            f"--session-within: the profile {options.profile!r} has no session to confirm; say which message "
            "confirms it (session_confirmed=)"
        )
