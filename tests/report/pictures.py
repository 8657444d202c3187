"""
What a person reads of fifteen kinds of failures, at 80 and at 120 columns.

``python -m tests.report.pictures`` writes the files that `test_snapshots` compares with.

"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.message import explain
from pytest_wsstability.core.message.wrap import wrapped
from pytest_wsstability.core.result import Result
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.report.terminal import summary
from tests.core.judging import BEATS
from tests.core.script import FIN, RST, closed_by_peer, timeline
from tests.report import held, made

FOLDER = Path(__file__).parent / "snapshots"
WIDTHS = (80, 120)
HOLD = {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s"}
NODEID = "tests/voice/test_sessions.py::test_voice_session_is_stable[agent-7-eu-central-1]"
PINGED = [(30, "<ping", b"1"), (30.01, ">pong", b"1")]


def _scripted(
    *rows: tuple, until: float | None = None, tier: Tier = Tier.REAL, **requirement: object
) -> Result:
    line = timeline(*rows, until=until, tier=tier)
    asked = Requirement.of(**(requirement or HOLD))
    verdict = diagnosed(judge(asked, line), [line])
    return Result(
        nodeid=NODEID, url="wss://staging.voice.example/v1/stream", requirement=asked, verdict=verdict,
        timelines=(line,), path="tests/voice/test_sessions.py", line=12,
    )  # fmt: skip


def _held(**options) -> Result:
    return dataclasses.replace(held.result(**options), nodeid=NODEID)


# By the name of the file.
CASES: dict[str, Callable[[], Result]] = {
    "pongs-withheld": lambda: _held(client="mute"),
    "read-deadline-reset-by-pings": lambda: _held(read_deadline="40s", deadline_reset_by="ping"),
    "heartbeats-not-answered": lambda: _held(answer_heartbeats=False),
    "session-not-confirmed": lambda: _held(confirm_sessions=False),
    "idle-timeout": lambda: _scripted((0.1, "<text"), (60.1, {**FIN}), alive_for="2m"),
    "token-expired": lambda: _scripted((2, ">beat"), (4, closed_by_peer(4401, "token expired"))),
    "restart": lambda: _scripted(*BEATS[:4], (63.2, closed_by_peer(1001, "deploy"))),
    "handler-failed": lambda: _scripted(*BEATS[:4], (61, ">text"), (61.2, closed_by_peer(1011))),
    "keepalive-ran-out": lambda: _scripted(
        *PINGED, (50, "<ping", b"2"), (70, closed_by_peer(1011, "keepalive ping timeout")), alive_for="2m"
    ),
    "message-too-big": lambda: _scripted(
        (10, ">audio"), (10.1, closed_by_peer(1009, "frame exceeds 64 KiB")), alive_for="2m"
    ),
    "cut-within-a-frame": lambda: _scripted(*BEATS[:4], (61, {**RST, "mid_frame": True})),
    "overloaded": lambda: _scripted((3, closed_by_peer(1013, "try again later")), alive_for="2m"),
    "nothing-fits": lambda: _scripted(*BEATS[:4], (61.7, "<text"), (61.8, RST)),
    "own-loop-stood-still": lambda: _scripted(
        *BEATS[:4], (75, ">beat"), (95, "lag", 19.0), (95.1, {**FIN}), alive_for="2m", heartbeat_every="25s"
    ),
    "not-watched-long-enough": lambda: made.doubtful(tier=Tier.REAL, nodeid=NODEID),
}


def picture(result: Result, width: int) -> str:
    """Message, table and line of the short summary, as a terminal of so many columns shows them."""
    message = explain(result.verdict, result.timelines)
    lines = [*wrapped(message, width), "", "-" * width]
    lines += [line.text for line in summary(made.run(result), width=width)]
    short = f"FAILED {NODEID.rpartition('::')[2]} - {result.verdict.headline}"
    # As pytest cuts it.
    lines += ["-" * width, short if len(short) <= width else f"{short[: width - 3]}..."]
    return "\n".join(lines) + "\n"


def path_of(name: str, width: int) -> Path:
    return FOLDER / str(width) / f"{name}.txt"


if __name__ == "__main__":
    for name, make in CASES.items():
        for width in WIDTHS:
            path_of(name, width).parent.mkdir(parents=True, exist_ok=True)
            path_of(name, width).write_text(picture(make(), width), encoding="utf-8")
