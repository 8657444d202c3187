"""Every fault and middlebox preset as a case with its right causes, for the test and the benchmark."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from math import inf
from typing import Any

from pytest_wsstability import Cause, FaultProxy, Orchestrator, Requirement, connect, faults
from pytest_wsstability.core.diagnosis import Diagnosis, diagnose, diagnose_opening
from pytest_wsstability.core.faults import EndsWith, Fault, IdleTimeout, MaxAge, ResetBy
from pytest_wsstability.core.faults.protocol import PROTOCOL_FAULTS
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.faults import MIDDLEBOXES
from pytest_wsstability.net.connection import Connection
from pytest_wsstability.net.errors import OpeningError
from pytest_wsstability.net.holding import hold_open

# Neither pings nor a read deadline: what then ends a connection is not the server.
SILENT_SERVER = {"ping_interval": None, "read_deadline": None}
CONFIRM_WITHIN = "5s"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault, the traffic that meets it, and what may be said of it from the client's record alone."""

    name: str
    # The fault, for the matrix.
    fault: str
    # Causes that are right; the first one names the row.
    right: tuple[Cause, ...]
    link: tuple[Any, ...] = ()
    server: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    # Seconds between texts of the client, and of the server; None for none.
    talk: float | None = None
    listen: float | None = None
    # When they stop.
    talk_until: float = inf
    listen_until: float = inf
    # Texts of the client at these instants, which the server answers.
    early: tuple[float, ...] = ()
    # One message of so many bytes at an instant.
    big: tuple[float, int] | None = None
    requirement: dict[str, Any] = field(default_factory=dict)
    # Other connections that are opened so many seconds later, for the cohort.
    beside: tuple[float, ...] = ()
    hold: float = 130.0
    # Judged when the hold is over, and not at the first promise that is broken.
    patient: bool = False


async def play(case: Case) -> Diagnosis:
    """The diagnosis of the client's record; the server's and the proxy's are not shown to it."""
    async with AsyncExitStack() as stack:
        server = dict(case.server)
        if case.listen is not None:
            server["handler"] = _speaker(case.listen, case.listen_until)
        elif case.early:
            server["echo"] = True
        orchestrator = await stack.enter_async_context(Orchestrator(**server))
        url = orchestrator.url
        if case.link:
            url = (await stack.enter_async_context(FaultProxy(url, faults=list(case.link)))).url
        try:
            connection = await connect(url, **{"inbox": 0, **case.client})
        except OpeningError as exc:
            return diagnose_opening(exc.stage.name, status=exc.status, retry_after=exc.retry_after)
        stack.push_async_callback(connection.close)
        beside = [asyncio.ensure_future(_open_later(url, seconds)) for seconds in case.beside]
        tasks = [asyncio.ensure_future(each) for each in _traffic(case, connection)]
        try:
            return await _held(case, connection, beside)
        finally:
            for task in (*tasks, *beside):
                task.cancel()
            await asyncio.gather(*tasks, *beside, return_exceptions=True)


async def _held(case: Case, connection: Connection, beside: list[asyncio.Future[Connection]]) -> Diagnosis:
    requirement = Requirement.of(**{"alive_for": case.hold, **case.requirement})
    if case.patient:
        await connection.websocket.wait_ended(connection.timeline.opened + case.hold)
        if connection.timeline.close is None and case.fault == "IgnoreClose":
            await connection.close()
        verdict = judge(requirement, connection.timeline)
    else:
        verdict = await hold_open(connection.websocket, requirement)
    others = [each.result().timeline for each in beside if each.done()]
    return diagnose(connection.timeline, cohort=others, verdict=verdict)


async def _open_later(url: str, seconds: float) -> Connection:
    await asyncio.sleep(seconds)
    return await connect(url, inbox=0)


def _traffic(case: Case, connection: Connection) -> Iterator[Any]:
    if case.talk is not None:
        yield _talk(connection, case.talk, case.talk_until)
    for at in case.early:
        yield _send(connection, at, "hello")
    if case.big is not None:
        yield _send(connection, case.big[0], "x" * case.big[1])


async def _talk(connection: Connection, every: float, until: float) -> None:
    for _ in range(_times(every, until)):
        await asyncio.sleep(every)
        await connection.send("a text that nobody answers")


async def _send(connection: Connection, at: float, text: str) -> None:
    await asyncio.sleep(at)
    await connection.send(text)


def _times(every: float, until: float) -> int:
    return 10_000 if until == inf else int(until / every)


def _speaker(every: float, until: float) -> Any:
    async def speak(connection: Connection) -> None:
        for _ in range(_times(every, until)):
            await asyncio.sleep(every)
            await connection.send("a text that nobody asked for")
        # A handler that returns closes the connection.
        await connection.websocket.wait_ended()

    return speak


# One connection on which one end, or one kind of traffic, was never spoken: its silence is its age.
_AGES = (Cause.MAX_AGE, Cause.PONG_DEADLINE)
# Traffic, and what it needs of the client and of the server.
_BEATS = {"client": {"heartbeat": "25s"}}
_KEEPALIVE = {"client": {"client": "keepalive", "heartbeat": "25s"}}
_ANSWERED = {"requirement": {"heartbeat_within": "5s"}}
_C = Cause


def link_cases() -> Iterator[Case]:
    """Faults of the way between the ends."""
    yield from _broken_paths()
    yield from _slow_paths()
    cut = faults.CutAfter(150, direction="downstream")
    yield Case(name="CutAfter", fault="CutAfter", right=(_C.MID_FRAME,), link=(cut,), **_BEATS)
    yield from _eaten_frames()
    yield from timer_cases("IdleTimeout", IdleTimeout("45s"))
    for reset_by in ResetBy:
        if reset_by is not ResetBy.ANY:
            yield from timer_cases(f"IdleTimeout {reset_by.value}", IdleTimeout("45s", reset_by=reset_by))
    for ends_with in EndsWith:
        if ends_with is not EndsWith.FIN:
            yield from timer_cases(f"IdleTimeout {ends_with.value}", IdleTimeout("45s", ends_with=ends_with))
    yield from timer_cases("MaxAge", MaxAge("90s"))
    yield from timer_cases("MaxAge reset", MaxAge("90s", ends_with="reset"))


def _broken_paths() -> Iterator[Case]:
    cut = (_C.RESTART, _C.UNDETERMINED)
    for name, fault in (
        ("Drop", (47.3, faults.Drop())),
        ("Reset", (47.3, faults.Reset())),
        ("CutAt", faults.CutAt("47.3s")),
        ("HalfClose", (47.3, faults.HalfClose("downstream"))),
        ("HalfClose", (47.3, faults.HalfClose("upstream"))),
    ):
        yield Case(name=f"{fault}, heartbeats", fault=name, right=cut, link=(fault,), **_BEATS)
    dead = (_C.HALF_OPEN,)
    for direction in ("both", "downstream", "upstream"):
        fault = (40.3, faults.Blackhole(direction))
        yield Case(name=f"Blackhole {direction}", fault="Blackhole", right=dead, link=(fault,), **_KEEPALIVE)
    fault = (40.3, faults.Blackhole())
    yield Case(
        name="Blackhole, heartbeats missed",
        fault="Blackhole",
        right=dead,
        link=(fault,),
        **_BEATS,
        **_ANSWERED,
    )
    stalled = (_C.HALF_OPEN, _C.PATH_STALLED)
    stall = (45.0, faults.Stall("20s"))
    yield Case(name="Stall", fault="Stall", right=stalled, link=(stall,), **_BEATS, **_ANSWERED)


def _slow_paths() -> Iterator[Case]:
    slow = (_C.SLOW_ANSWERS,)
    rtt = {"requirement": {"rtt_p95": "1s"}}
    for name, fault in (
        ("Latency", faults.Latency("3s", jitter="1s")),
        ("Bandwidth", faults.Bandwidth(10)),
        ("Slicer", faults.Slicer(5, delay="1s")),
    ):
        yield Case(name=f"{fault!r}", fault=name, right=slow, link=((5, fault),), **_BEATS, **rtt)


def _eaten_frames() -> Iterator[Case]:
    eaten = faults.DropControlFrames("ping", direction="downstream")
    right = (_C.PONG_DEADLINE,)
    yield Case(name="pings eaten", fault="DropControlFrames", right=right, link=(eaten,), **_BEATS)
    eaten = faults.DropControlFrames("pong", direction="upstream")
    right = (_C.CONTROL_FRAMES_LOST,)
    yield Case(name="pongs eaten", fault="DropControlFrames", right=right, link=(eaten,), **_BEATS)
    eaten = faults.DropControlFrames("pong", direction="downstream")
    right = (_C.CONTROL_FRAMES_LOST, _C.NO_PONGS)
    yield Case(name="our pongs eaten", fault="DropControlFrames", right=right, link=(eaten,), **_KEEPALIVE)


def timer_cases(fault: str, timer: Fault) -> Iterator[Case]:
    """A timer between the ends, under the traffic that lets it run out."""
    if isinstance(timer, MaxAge):
        yield from _age_cases(fault, timer)
        return
    assert isinstance(timer, IdleTimeout)
    ends_in_silence = timer.ends_with in (EndsWith.SILENCE, EndsWith.BLACKHOLE)
    yield from (_silent_cases if ends_in_silence else _idle_cases)(fault, timer)


def _age_cases(fault: str, timer: MaxAge) -> Iterator[Case]:
    every = min(25.0, timer.seconds / 4)
    # The server's pings are answered, so that its own deadline is out of the question.
    server = {"ping_interval": every * 1.1}
    yield Case(
        name=f"{fault}, heartbeats", fault=fault, right=(_C.MAX_AGE,), link=(timer,), server=server,
        client={"heartbeat": every}, hold=1.3 * timer.seconds,
    )  # fmt: skip


def _silent_cases(fault: str, timer: IdleTimeout) -> Iterator[Case]:
    """A timer that tells nobody."""
    seconds = timer.seconds
    base = {"fault": fault, "link": (timer,), "hold": 3 * seconds}
    quiet = {"server": SILENT_SERVER}
    if timer.ends_with is EndsWith.SILENCE:
        right = (_C.NAT_EXPIRED,)
        yield Case(
            name=f"{fault}, one heartbeat", right=right, client={"heartbeat": 1.2 * seconds}, **quiet, **base
        )
        yield Case(name=f"{fault}, early talk", right=right, early=(3, 8, 1.5 * seconds), **quiet, **base)
    else:
        right = (_C.HALF_OPEN, _C.NAT_EXPIRED)
        beats = {"client": {"heartbeat": 1.2 * seconds}, "requirement": {"heartbeat_within": "5s"}}
        yield Case(name=f"{fault}, heartbeats", right=right, **beats, **quiet, **base)


def _idle_cases(fault: str, timer: IdleTimeout) -> Iterator[Case]:
    """A timer that ends the stream, by what resets it."""
    seconds = timer.seconds
    base = {"fault": fault, "link": (timer,), "hold": 3 * seconds}
    right = (_C.IDLE_TIMEOUT,)
    quiet = {"server": SILENT_SERVER}
    pinging = {"server": {"ping_interval": seconds / 3, "read_deadline": None}}
    if timer.reset_by is ResetBy.UPSTREAM:
        right = (_C.READ_DEADLINE, _C.IDLE_TIMEOUT)
        yield Case(name=f"{fault}, the server talks", right=(*right, *_AGES), listen=7.0, **quiet, **base)
        spoken = {"talk": 3.0, "talk_until": 10.0, "listen": 7.0}
        yield Case(name=f"{fault}, the server talks on", right=right, **spoken, **quiet, **base)
    elif timer.reset_by is ResetBy.DOWNSTREAM:
        yield Case(name=f"{fault}, the client talks", right=(*right, *_AGES), talk=7.0, **quiet, **base)
        spoken = {"talk": 7.0, "listen": 3.0, "listen_until": 10.0}
        yield Case(name=f"{fault}, the client talks on", right=right, **spoken, **quiet, **base)
    elif timer.reset_by is ResetBy.EACH:
        yield Case(name=f"{fault}, the client talks", right=(*right, *_AGES), talk=7.0, **quiet, **base)
        up = (_C.READ_DEADLINE, _C.IDLE_TIMEOUT)
        yield Case(name=f"{fault}, the server talks", right=(*up, *_AGES), listen=7.0, **quiet, **base)
        spoken = {"talk": 3.0, "talk_until": 10.0, "listen": 7.0}
        yield Case(name=f"{fault}, the server talks on", right=up, **spoken, **quiet, **base)
    elif timer.reset_by is ResetBy.DATA:
        yield Case(name=f"{fault}, pings only", right=(*right, *_AGES), **pinging, **base)
        yield Case(name=f"{fault}, early talk", right=right, early=(3, 8), **pinging, **base)
    else:
        yield Case(name=f"{fault}, quiet", right=right, **quiet, **base)
        yield Case(name=f"{fault}, early talk", right=right, early=(3, 8), **quiet, **base)
        rare = {"client": {"heartbeat": 1.4 * seconds}}
        yield Case(name=f"{fault}, rare heartbeats", right=right, **rare, **quiet, **base)


def middlebox_cases() -> Iterator[Case]:
    """Named proxies and load balancers, each timer of each."""
    for name, box in MIDDLEBOXES.items():
        for timer in box.faults:
            yield from timer_cases(f"{name}", timer)


CODES = {
    1000: (_C.CLOSED_BY_PEER,),
    1001: (_C.RESTART,),
    1002: (_C.PROTOCOL_ERROR,),
    1003: (_C.PROTOCOL_ERROR,),
    1007: (_C.PROTOCOL_ERROR,),
    1008: (_C.AUTH_EXPIRED,),
    1009: (_C.MESSAGE_TOO_BIG,),
    1011: (_C.HANDLER_ERROR,),
    1012: (_C.RESTART,),
    1013: (_C.OVERLOADED,),
    1014: (_C.UPSTREAM_FAILED,),
    3000: (_C.AUTH_EXPIRED,),
    4000: (_C.CLOSED_BY_PEER,),
    4401: (_C.AUTH_EXPIRED,),
    4408: (_C.SESSION_NOT_CONFIRMED,),
    4409: (_C.SESSION_DUPLICATED,),
}


def peer_cases() -> Iterator[Case]:
    """Faults of the server."""
    at = 33.3
    for code, right in CODES.items():
        program = {"faults": [(at, faults.CloseWith(code))]}
        yield Case(name=f"CloseWith {code}", fault="CloseWith", right=right, server=program, **_BEATS)
    for name, fault, right in (
        ("EmptyClose", faults.EmptyClose(), _C.CLOSED_BY_PEER),
        ("InvalidCloseCode", faults.InvalidCloseCode(1006), _C.PROTOCOL_ERROR),
        ("InvalidCloseCode", faults.InvalidCloseCode(5000), _C.PROTOCOL_ERROR),
        ("HandlerError", faults.HandlerError(), _C.HANDLER_ERROR),
        ("Oversize", faults.Oversize(2_000_000), _C.MESSAGE_TOO_BIG),
        ("BadUtf8", faults.BadUtf8(), _C.PROTOCOL_ERROR),
        ("MaskedFrame", faults.MaskedFrame(), _C.PROTOCOL_ERROR),
        *(("Malformed", faults.Malformed(kind), _C.PROTOCOL_ERROR) for kind in faults.Malformation),
    ):
        program = {"faults": [(at, fault)]}
        yield Case(name=repr(fault), fault=name, right=(right,), server=program, **_BEATS)
    yield from _withholding_cases(at)
    yield from _session_cases()
    for status, right in (
        # A gateway without a server and a server that is full both say no more.
        (503, (_C.UPSTREAM_FAILED, _C.THROTTLED)),
        (429, (_C.THROTTLED,)),
        (401, (_C.UNAUTHORIZED,)),
        (403, (_C.UNAUTHORIZED,)),
        (404, (_C.REFUSED,)),
        (502, (_C.UPSTREAM_FAILED,)),
    ):
        program = {"faults": [faults.RefuseUpgrade(status)]}
        yield Case(name=f"RefuseUpgrade {status}", fault="RefuseUpgrade", right=right, server=program)
    for code in (1013, 1008, 4401):
        program = {"faults": [faults.AcceptThenClose(code)]}
        yield Case(name=f"AcceptThenClose {code}", fault="AcceptThenClose", right=CODES[code], server=program)


def _withholding_cases(at: float) -> Iterator[Case]:
    withheld = {"faults": [(at, faults.WithholdPongs())]}
    yield Case(
        name="WithholdPongs", fault="WithholdPongs", right=(_C.NO_PONGS,), server=withheld, **_KEEPALIVE
    )
    dead = {"server": {"faults": [(at, faults.WithholdHeartbeats())]}, "fault": "WithholdHeartbeats"}
    zombie = (_C.ZOMBIE,)
    yield Case(name="WithholdHeartbeats, the first one", right=zombie, **dead, **_BEATS, **_ANSWERED)
    for kind, client in (("", _BEATS), (", and pings", _KEEPALIVE)):
        yield Case(
            name=f"WithholdHeartbeats{kind}",
            right=zombie,
            patient=True,
            hold=115,
            **dead,
            **client,
            **_ANSWERED,
        )
    deaf = {"faults": [(at, faults.StopReading())]}
    right = (_C.PEER_NOT_READING,)
    yield Case(name="StopReading, and pings", fault="StopReading", right=right, server=deaf, **_KEEPALIVE)
    yield Case(name="StopReading", fault="StopReading", right=right, server=deaf, patient=True, **_BEATS)
    frozen = {"faults": [(at, faults.FreezeLoop("12s"))]}
    client = {"client": {"heartbeat": "5s"}, "requirement": {"rtt_p95": "1s"}, "patient": True}
    yield Case(name="FreezeLoop", fault="FreezeLoop", right=(_C.PEER_FROZEN,), server=frozen, **client)
    frozen = {"faults": [(at, faults.FreezeLoop("2m"))]}
    right = (_C.PEER_FROZEN,)
    yield Case(name="FreezeLoop, not over", fault="FreezeLoop", right=right, server=frozen, **_KEEPALIVE)
    flood = {"faults": [(at, faults.Flood(1000, size=100, seconds=5))]}
    client = {"client": {"inbox": 64, "heartbeat": "10s"}}
    right = (_C.HARNESS_NOT_READING,)
    yield Case(name="Flood, nobody reads", fault="Flood", right=right, server=flood, **client)
    ignored = {"faults": [(at, faults.IgnoreClose())]}
    closed = (_C.CLOSED_HERE,)
    yield Case(name="IgnoreClose", fault="IgnoreClose", right=closed, server=ignored, patient=True, hold=60)
    down = {"faults": faults.Program.of([(at, faults.Restart("5s"))])}
    beside = {"beside": (7.0, 12.0)}
    yield Case(name="Restart, three connections", fault="Restart", right=(_C.RESTART,), server=down, **beside)


def _session_cases() -> Iterator[Case]:
    asked = {"requirement": {"session_within": CONFIRM_WITHIN}}
    right = (_C.SESSION_NOT_CONFIRMED,)
    for fault in (faults.NeverConfirm(), faults.LateConfirm("9s")):
        name = type(fault).__name__
        yield Case(name=name, fault=name, right=right, server={"faults": [fault]}, **asked)
    asked = {"requirement": {"handshake": True}, "patient": True, "hold": 10}
    for fault, cause in (
        (faults.WrongSession(), _C.SESSION_LOST),
        (faults.DuplicateConfirm(), _C.SESSION_DUPLICATED),
    ):
        name = type(fault).__name__
        yield Case(name=name, fault=name, right=(cause,), server={"faults": [fault]}, **asked)


def client_cases() -> Iterator[Case]:
    """Clients that misbehave, against the server of the story; and deadlines of other kinds."""
    unanswered = (_C.PING_UNANSWERED,)
    mute = {"client": {"client": "mute", "heartbeat": "25s"}}
    yield Case(name="pongs withheld", fault="client withholds pongs", right=unanswered, **mute)
    code = {"on_deadline": 1011}
    yield Case(
        name="pongs withheld, 1011", fault="client withholds pongs", right=unanswered, server=code, **mute
    )
    stalled = {"client": {"client": "stalled", "inbox": 64}}
    right = (_C.HARNESS_NOT_READING,)
    yield Case(name="stalled", fault="client reads nothing", right=right, hold=200, **stalled)
    right = (_C.PONG_DEADLINE,)
    yield Case(
        name="no pings", fault="pong-only deadline", right=right, server={"ping_interval": None}, **_BEATS
    )
    data = {"deadline_reset_by": "data"}
    right = (_C.READ_DEADLINE, *_AGES)
    yield Case(name="deadline of data", fault="data deadline", right=right, server=data, listen=7.0)
    spoken = {"talk": 3.0, "talk_until": 10.0, "listen": 7.0}
    right = (_C.READ_DEADLINE,)
    yield Case(name="deadline of data, talk", fault="data deadline", right=right, server=data, **spoken)
    idle = {"deadline_reset_by": "any", "ping_interval": None}
    yield Case(name="deadline of any byte", fault="idle deadline", right=(_C.IDLE_TIMEOUT,), server=idle)
    small = {**SILENT_SERVER, "max_size": 1000}
    right = (_C.MESSAGE_TOO_BIG,)
    yield Case(
        name="our message too big", fault="size limit", right=right, server=small, big=(33.3, 5000), **_BEATS
    )


CASES = (*link_cases(), *middlebox_cases(), *peer_cases(), *client_cases())
# Every fault has a case, except that which ends others, and those of single protocols (tests/protocols).
WITHOUT_CASE = frozenset({"Heal", *(fault.__name__ for fault in PROTOCOL_FAULTS)})
