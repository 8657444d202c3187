"""The findings of a probe in words, and whose default a timer may be."""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnosis.timers import fits
from ..duration import show_duration as show
from ..known_timers import KNOWN_TIMERS, CountsFrom
from ..timeline.events import Tier
from .findings import Advice, Findings, FoundTimer, Policy, TimerKind
from .observation import Observation, RungFate
from .rungs import Traffic

# Settings are whole seconds: of one, a measurement is off by less than this (a loop's turn, a round trip).
_OFF = 0.0035
_SENT = {
    Traffic.TEXT: "a text message",
    Traffic.HEARTBEAT: "a heartbeat",
    Traffic.PING: "a ping frame",
    Traffic.PONG: "an unsolicited pong",
}
# Timers that any byte resets, or any message, by their policy.
_RESET_BY_ANY = {
    Policy.ANY: (CountsFrom.IDLE, CountsFrom.IDLE_UPSTREAM),
    Policy.CLIENT: (CountsFrom.IDLE_UPSTREAM,),
    Policy.SERVER: (CountsFrom.IDLE_DOWNSTREAM,),
    Policy.MESSAGES: (CountsFrom.MESSAGES, CountsFrom.MESSAGES_UPSTREAM),
}


def seconds(timer: FoundTimer) -> str:
    """The length with its error: ``60 s``, ``60.1 s ± 0.2 s``, ``between 230 s and 590 s``."""
    if timer.silent and timer.error > 0.05 * timer.seconds:
        return f"between {show(timer.least)} and {show(timer.seconds + timer.error)}"
    digits = 1 if timer.seconds >= 10 else 2 if timer.seconds >= 1 else 3
    error = round(timer.error, digits)
    text = f"{round(_setting(timer.seconds), digits):g} s"
    return f"{text} ± {error:g} s" if error else text


def _setting(measured: float) -> float:
    """What somebody will have set who is seen to wait so long: 3 for 2.99, and 2.9 for 2.9."""
    whole = float(round(measured))
    return whole if whole and abs(measured - whole) <= _OFF * whole else measured


def sentence(findings: Findings) -> str:
    """All that matters in one sentence."""
    if findings.doubts:
        return f"inconclusive: {findings.doubts[0]}"
    if not findings.timers:
        return f"nothing ended a connection within {show(round(findings.horizon, 1))}"
    return "; ".join([*(_timer(timer, findings) for timer in findings.timers), *_safe(findings)])


def _safe(findings: Findings) -> list[str]:
    parts = []
    if findings.idle is not None and findings.idle.answering_helps:
        parts.append("a client that answers the server's pings is safe")
    if findings.idle is not None and findings.idle.policy is Policy.OWN_ANSWER:
        parts.append("a client that answers the server's heartbeats is safe")
    if findings.advice:
        first = findings.advice[0]
        what = " or ".join(_SENT[each.traffic] for each in findings.advice[:2])
        parts.append(
            f"{what} every {show(first.safe)} {_tried(first)}, every {show(first.unsafe)} leaves none"
        )
    return parts


def _tried(advice: Advice) -> str:
    if advice.survived is None:
        return "leaves a margin (untried)"
    return f"is safe ({show(round(advice.survived))} survived)"


def _timer(timer: FoundTimer, findings: Findings) -> str:
    text = f"{timer.kind.value} {seconds(timer)}"
    if timer.kind is TimerKind.MAX_AGE:
        text += ", whatever the traffic"
    elif timer.policy is Policy.SOME:
        text += f", reset by {_kinds(findings, True)} and not by {_kinds(findings, False)}"
    else:
        text += f", reset by {timer.policy.value}"
    if timer.told_late:
        late = show(round(timer.told_late, 1))
        text += f" (from then on nothing is answered, and the end is told {late} later)"
    return f"{text}, without a word to either end" if timer.silent else text


def _kinds(findings: Findings, reset: bool) -> str:
    return ", ".join(kind.value for kind, value in findings.resets.items() if value is reset)


def report(findings: Findings) -> list[str]:
    """The findings, a line each, and the connections that they were read from."""
    covered = show(round(findings.horizon, 1))
    return [
        *meaning(findings),
        *_connections(findings.observations),
        f"  covered   {covered} in {findings.tier.value}",
    ]


def meaning(findings: Findings) -> list[str]:
    """The findings, a line each."""
    lines = [f"  found     {sentence(findings)}"]
    lines += [f"  fits      {fitting}" for fitting in _fitting(findings)]
    lines += [f"  in doubt  {doubt}" for doubt in findings.doubts[1:]]
    if findings.resets:
        lines.append(f"  resets    {_resets(findings)}")
    if findings.advice:
        lines.append(f"  send      {_advice(findings.advice)}")
    lines.append(f"  pings     {_pings(findings)}")
    return lines + [f"  note      {note}" for note in findings.notes]


def _fitting(findings: Findings) -> list[str]:
    """Whose default each timer may be; the word says that nothing proves it."""
    found = [(timer, owners(timer, findings.tier)) for timer in findings.timers]
    return [f"{names} (by the number alone, {seconds(timer)})" for timer, names in found if names]


def _resets(findings: Findings) -> str:
    words = {True: "yes", False: "no", None: "not seen"}
    return " · ".join(f"{kind.value} {words[reset]}" for kind, reset in findings.resets.items())


def _advice(advice: Sequence[Advice]) -> str:
    *others, last = [_SENT[each.traffic] for each in advice]
    what = f"{', '.join(others)} or {last}" if others else last
    return (
        f"{what} every {show(advice[0].safe)}; from {show(advice[0].unsafe)} on no margin is left (reckoned, "
        "not tried)"
    )


def _pings(findings: Findings) -> str:
    every = findings.server_ping_every
    if every is None:
        return "the server sends none"
    text = f"the server pings every {show(round(every, 1))}"
    idle = findings.idle
    if idle is not None and idle.after_ping is not None:
        text += f"; who answers none is cut {show(round(idle.after_ping, 1))} after the first"
    return text


def _connections(observations: Sequence[Observation]) -> list[str]:
    ladder = [each for each in observations if not each.rung.once and not each.rung.trial]
    trials = [each for each in observations if each.rung.trial]
    waits = [each for each in observations if each.rung.once]
    width = max(len(each.rung.name) for each in ladder)
    lines = [f"  connections ({len(ladder)}{f', then {len(waits)}' if waits else ''})"]
    lines += [f"    {each.rung.name:<{width}}  {_life(each)}" for each in ladder]
    lines += [f"    tried: {each.rung.name}: {_life(each)}" for each in trials]
    if waits:
        lines.append(f"    one silence each, then a ping: {_waits(waits)}")
    return lines


def _waits(waits: Sequence[Observation]) -> str:
    lived = [each.rung.every or 0.0 for each in waits if each.fate is RungFate.ALIVE]
    lost = [each.gap for each in waits if each.gap is not None]
    parts = [f"{show(round(max(lived), 2))} is survived"] if lived else []
    parts += [f"{show(round(min(lost), 2))} is not"] if lost else []
    return ", ".join(parts)


def _life(one: Observation) -> str:
    if one.fate is RungFate.NOT_OPENED:
        return f"did not open: {one.detail}"
    if one.fate is RungFate.LOST:
        return f"gone without a word, found out after {show(round(one.gap or 0.0, 2))} of silence"
    at = show(round(one.age, 2))
    return f"alive after {at}" if one.fate is RungFate.ALIVE else f"ended at {at}: {one.detail}"


def owners(timer: FoundTimer, tier: Tier) -> str:
    """
    Who is known for such a timer: ``nginx, AWS ALB``; empty if nobody is.

    A hypothesis: a number alone names nobody.

    """
    names = dict.fromkeys(
        known.owner
        for known in KNOWN_TIMERS
        if known.counts_from in _counted_from(timer) and _fits(timer, known.seconds, tier, known.counts_from)
    )
    return ", ".join(names)


def _counted_from(timer: FoundTimer) -> tuple[CountsFrom, ...]:
    if timer.kind is TimerKind.MAX_AGE:
        return (CountsFrom.AGE,)
    if timer.silent:
        return (CountsFrom.SILENT,)
    answered = (CountsFrom.PING,) if timer.answering_helps else ()
    if timer.kind is TimerKind.READ_DEADLINE:
        return (CountsFrom.PONG, *answered)
    return (*_RESET_BY_ANY.get(timer.policy, ()), *answered)


def _fits(timer: FoundTimer, seconds: float, tier: Tier, counts_from: CountsFrom) -> bool:
    if counts_from is CountsFrom.PING:
        return timer.after_ping is not None and fits(timer.after_ping, seconds, tier)
    if timer.silent:
        return timer.least - 1e-6 <= seconds <= timer.seconds + timer.error + 1e-6
    return fits(timer.seconds, seconds, tier)
