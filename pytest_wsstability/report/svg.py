"""The ends of a connection below each other on one axis, as a picture that stands by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from html import escape

from ..core.cause import Blame
from ..core.duration import show_duration as show
from ..core.message.strip import round_step
from ..core.redact import show_text
from ..core.result import Result
from ..core.timeline.events import Direction, Event, EventKind, Opcode, Role
from ..core.timeline.timeline import Timeline
from .lanes import SESSION

_WIDTH, _GUTTER, _RIGHT, _ROW = 1000, 110, 80, 20
_ROOM = _WIDTH - _GUTTER - _RIGHT
_TICKS = 9
# Silence that is drawn as such: a part of the picture, and a second at least.
_SILENCE = 1 / 25
_STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif } path { fill: none; stroke: #24292f; stroke-width: 2 }
.grid { stroke: #8886; stroke-width: 1 } .up { stroke-width: 4; opacity: .35 } .silence { stroke: #9a6700; stroke-dasharray: 2 4 }
.beat { stroke: #1a7f37 } .ping { stroke: #0969da } .data { stroke: #777; stroke-width: 1.3 } .session { stroke: #8250df }
.mark { stroke: #9a6700 } .open, .end { stroke: #cf222e } .wait { stroke: #cf222e; stroke-dasharray: 3 4 }
text { fill: #24292f } .blamed { fill: #cf222e } .name, .blamed { font-weight: 700 }
"""  # noqa: E501
_BEATS = (Role.HEARTBEAT, Role.HEARTBEAT_ANSWER)
_PINGS = (Opcode.PING, Opcode.PONG)


def render(result: Result) -> str:
    """The picture of a hold; of one that did not open, its words only."""
    span = max([0.001, *(_offset(result, each) + each.duration for each in result.timelines)])
    x = _Scale(span)
    drawn: list[str] = []
    y = 44
    blame = result.verdict.diagnosis.blame if result.verdict.diagnosis is not None else Blame.NOBODY
    for timeline in result.timelines:
        offset = _offset(result, timeline)
        name = "blamed" if timeline.end.value == blame.value else "name"
        drawn.append(_text(6, y + 13, f"{timeline.end.value} end", name))
        drawn += _connection(timeline, offset, x, y + 9)
        y += _ROW
        for label, draw in _rows(timeline, offset, x):
            drawn += [_text(16, y + 13, label), *draw(y + 9)]
            y += _ROW
        y += 6
    axis = list(_axis(span, x, y))
    title, head = show_text(result.nodeid, 120), show_text(result.verdict.headline, 150)
    texts = [_text(6, 16, title, "name"), _text(6, 33, head)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 24}" width="{_WIDTH}" '
        f'height="{y + 24}"><style>{_STYLE}</style>{"".join([*texts, *axis, *drawn])}</svg>\n'
    )


class _Scale:
    """From seconds on the clock of the first timeline to the column."""

    def __init__(self, span: float) -> None:
        self._span = span

    def __call__(self, at: float) -> str:
        return f"{_GUTTER + _ROOM * max(0.0, min(1.0, at / self._span)):.1f}"


def _offset(result: Result, timeline: Timeline) -> float:
    return timeline.opened - result.timelines[0].opened


def _text(x: object, y: float, text: str, name: str = "", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{name}" text-anchor="{anchor}">{escape(text)}</text>'


def _path(name: str, d: str) -> str:
    return f'<path class="{name}" d="{d}"/>'


def _axis(span: float, x: _Scale, y: float) -> Iterator[str]:
    step = round_step(span / _TICKS)
    tick = 0
    while tick * step <= span + 1e-9:
        at = tick * step
        yield _path("grid", f"M{x(at)} 40V{y}")
        yield _text(x(at), y + 16, show(round(at, 3)), anchor="middle")
        tick += 1


def _connection(timeline: Timeline, offset: float, x: _Scale, y: float) -> Iterator[str]:
    """The line of one end: up, silent, what happened to it, and its end."""
    yield _path("up", f"M{x(offset)} {y}H{x(offset + timeline.duration)}")
    before = 0.0
    for event in timeline:
        if event.at - before > max(1.0, timeline.duration * _SILENCE):
            yield _path("silence", f"M{x(before + offset)} {y + 6}H{x(event.at + offset)}")
        before = event.at
        if event.kind is EventKind.ENDED:
            yield _path("end", f"M{x(event.at + offset)} {y}m-5 -5l10 10m0 -10l-10 10")
        elif event.kind is not EventKind.FRAME or event.opcode is Opcode.CLOSE:
            yield _path("mark", f"M{x(event.at + offset)} {y - 6}v12")
        elif event.role in SESSION:
            yield _path("session", f"M{x(event.at + offset)} {y - 6}v12")
    if timeline.close is not None:
        yield _text(float(x(offset + timeline.duration)) + 10, y + 4, str(timeline.close.code))


def _rows(
    timeline: Timeline, offset: float, x: _Scale
) -> Iterator[tuple[str, Callable[[float], Iterable[str]]]]:
    """The rows below an end that have something on them: a label, and what draws it at a height."""
    frames = [event for event in timeline if event.kind is EventKind.FRAME]
    beats = [event for event in frames if event.role in _BEATS]
    pings = [event for event in frames if event.opcode in _PINGS and event.role not in _BEATS]
    data = [event for event in frames if event.role is Role.DATA]
    until = timeline.duration + offset
    if beats and timeline.is_one_way:
        # No answer is ever due.
        yield "heartbeats", partial(_marks, "beat", [x(event.at + offset) for event in beats])
    elif beats:
        asked = [event.role is Role.HEARTBEAT for event in beats]
        yield "heartbeats", partial(_questions, "beat", beats, asked, offset, until, x)
    if pings:
        asked = [event.opcode is Opcode.PING for event in pings]
        yield "pings", partial(_questions, "ping", pings, asked, offset, until, x)
    if data:
        yield "messages", partial(_marks, "data", [x(event.at + offset) for event in data])


def _marks(name: str, columns: Sequence[str], y: float) -> Iterator[str]:
    """What would be drawn over itself is drawn once."""
    yield _path(name, "".join(f"M{column} {y - 4}v9" for column in dict.fromkeys(columns)))


def _questions(
    name: str,
    events: Sequence[Event],
    asked: Sequence[bool],
    offset: float,
    until: float,
    x: _Scale,
    y: float,
) -> Iterator[str]:
    """Answered: a tick, and a line as long as the answer took. Not answered: a ring, and dots to the end."""
    open_ones: dict[Direction, list[float]] = {Direction.SENT: [], Direction.RECEIVED: []}
    for event, asks in zip(events, asked, strict=True):
        if asks:
            open_ones[event.direction].append(event.at)
            continue
        # The answer comes from the other end, and belongs to the youngest question.
        waiting = open_ones[Direction.SENT if event.direction is Direction.RECEIVED else Direction.RECEIVED]
        if waiting:
            yield _path(name, f"M{x(waiting.pop() + offset)} {y - 5}v10m0 -5H{x(event.at + offset)}")
    for at in (at for waiting in open_ones.values() for at in waiting):
        yield _path("open", f"M{x(at + offset)} {y}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0")
        yield _path("wait", f"M{x(at + offset)} {y}m5 0H{x(until)}")
