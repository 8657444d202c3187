"""A call as lanes of characters: who spoke when, first audio, underruns, heartbeats, the end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..call_summary import CallSummary
from ..message.strip import WIDTH, Scale, axis
from ..timeline.events import EventKind, Role
from ..timeline.timeline import Timeline
from .summary import HEAD, turn_at, turn_cells, worst_first

# Seconds that are drawn at most.
SPAN = 60.0
_USER, _AGENT, _FIRST, _DRY, _STOP, _AWAY, _END = "#=>!/~X"
_ASKED, _ANSWERED, _SAID = "?+."
_MEANING = {
    _USER: "user speaks", _FIRST: "first audio", _AGENT: "agent is heard", _DRY: "underrun",
    _STOP: "spoken over", _AWAY: "no connection", _ANSWERED: "heartbeat answered",
    _ASKED: "heartbeat not answered", _SAID: "heartbeat", _END: "end",
}  # fmt: skip
_INDENT = " " * 12


def lanes(call: CallSummary, timeline: Timeline | None, at: float | None = None) -> list[str]:
    """
    Lines: an axis, a lane for the user, one for the agent, one for the heartbeats, and the legend.

    Args:
        call: what to draw.
        timeline: the record of its (last) connection, for heartbeats and the end; None without one.
        at: an instant that has to be seen; None: the end. At most `SPAN` seconds are drawn.

    """
    if call.duration <= 0:
        return []
    until = call.duration if at is None else min(call.duration, max(SPAN, at + SPAN / 6))
    since = max(0.0, until - SPAN)
    scale = Scale(since, until, 0.0)
    drawn = {"user": _user(call, scale), "agent": _agent(call, scale)}
    if timeline is not None and not call.away:
        drawn["beats"] = _beats(timeline, scale)
        if timeline.close is not None and timeline.close.at <= until:
            scale.put(drawn["user"], timeline.close.at, _END)
    used = set("".join("".join(lane) for lane in drawn.values()))
    lines = [axis(since, until)]
    lines += [
        f"  {name:<9} {''.join(lane)}".rstrip() for name, lane in drawn.items() if "".join(lane).strip()
    ]
    legend = [f"{sign} {meaning}" for sign, meaning in _MEANING.items() if sign in used]
    half = (len(legend) + 1) // 2 if len(legend) > 5 else len(legend)
    return lines + [_INDENT + "   ".join(part) for part in (legend[:half], legend[half:]) if part]


def _empty() -> list[str]:
    return [" "] * (WIDTH + 1)


def _user(call: CallSummary, scale: Scale) -> list[str]:
    lane = _empty()
    for turn in call.turns:
        until = call.duration if turn.speech_until is None else turn.speech_until
        _fill(lane, scale, turn.speech_from, until, _USER)
    for since, until in call.away:
        _fill(lane, scale, since, until, _AWAY)
    return lane


def _agent(call: CallSummary, scale: Scale) -> list[str]:
    lane = _empty()
    for turn in call.turns:
        if turn.audio_at is None or turn.heard_until is None:
            continue
        _fill(lane, scale, turn.audio_at, turn.heard_until, _AGENT)
        scale.put(lane, turn.audio_at, _FIRST)
        if turn.barged_in_at is not None:
            scale.put(lane, turn.barged_in_at, _STOP)
    for dry in call.underruns:
        _fill(lane, scale, dry.at, dry.at + dry.seconds, _DRY)
    return lane


def _fill(lane: list[str], scale: Scale, since: float, until: float, sign: str) -> None:
    """At least one character, if it is in the window."""
    if until < scale.since or since > scale.until:
        return
    scale.fill(lane, since, until, sign)
    scale.put(lane, max(since, scale.since), sign)


def beats(timeline: Timeline, until: float = math.inf) -> list[tuple[float, bool | None]]:
    """When each heartbeat was sent, and whether it was answered by then; None where none ever is."""
    asked: list[float] = []
    answered: list[float] = []
    for event in timeline:
        if event.kind is not EventKind.FRAME or event.at > until:
            continue
        if event.role is Role.HEARTBEAT:
            asked.append(event.at)
        elif event.role is Role.HEARTBEAT_ANSWER and asked:
            answered.append(asked.pop())
    open_ones = None if timeline.is_one_way else False
    return [*((at, True) for at in answered), *((at, open_ones) for at in asked)]


def _beats(timeline: Timeline, scale: Scale) -> list[str]:
    lane, signs = _empty(), {True: _ANSWERED, False: _ASKED, None: _SAID}
    for at, is_answered in beats(timeline, scale.until):
        scale.put(lane, at, signs[is_answered])
    return lane


def table(call: CallSummary, most: int, at: float | None = None) -> Iterator[str]:
    """
    The turns, worst first, in columns.

    Args:
        call: with one turn at least.
        most: so many of them.
        at: an instant whose turn stands before the others; None: no turn does.

    """
    turns = worst_first(call.turns)
    if at is not None:
        shown = turn_at(call.turns, at)
        turns.sort(key=lambda turn: turn is not shown)
    rows: Sequence[tuple[str, ...]] = [HEAD, *map(turn_cells, turns[:most])]
    # A column that says nothing is left out.
    kept = [index for index in range(len(HEAD)) if any(row[index] != "-" for row in rows[1:])]
    widths = [max(len(row[index]) for row in rows) for index in kept]
    for row in rows:
        cells = (row[index].rjust(width) for index, width in zip(kept, widths, strict=True))
        yield f"  {'  '.join(cells)}"
    if len(call.turns) > most:
        yield f"  and {len(call.turns) - most} more turns"
