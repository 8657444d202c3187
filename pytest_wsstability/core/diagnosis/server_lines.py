"""What the server itself logged, printed or did around an end: it outranks what was inferred."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..cause import Blame, Cause, Confidence, Diagnosis, Evidence
from ..duration import show_duration as show
from ..redact import redact_text, show_text
from ..timeline.close_reasons import Topic, names, read_reason
from ..timeline.events import End
from ..timeline.timeline import Timeline
from .client_end import AT_THE_END, AT_THE_INSTANT, ClientEnd
from .consequences import closed_with
from .engine import shortened
from .lines import LineKind, ServerLine, without_routine
from .rivals import CAUSES
from .rows_protocol import ONE_REMEDY
from .signature import Blamed
from .told_anew import IS_IT_KNOWN, idle_app, or_else, told_anew

# Lines that a diagnosis quotes, and characters of each.
_QUOTED, _LONGEST = 3, 160
# The type of an error that is a timeout's own.
_TIMEOUT_TYPE = re.compile(r"(?:[\w.]+\.)?\w*time_?d?_?out\w*\b", re.IGNORECASE)
# The same, or one of a read in the words of Go.
_TIMEOUT_RAISED = re.compile(rf"^{_TIMEOUT_TYPE.pattern}|\bi/o timeout\b", re.IGNORECASE)
# Words of any timeout.
_TIMEOUT_WORDS = re.compile(r"\btimed?[- ]?out", re.IGNORECASE)
# Words of a keepalive that gave up, and not of one that goes on ("sending keepalive ping").
_GAVE_UP = re.compile(
    r"\b(?:time[- ]?outs?|timed|no|not|never|without|miss\w*|fail\w*|lost|late|dead|stale|expired|clos\w+|"
    r"unanswered|unresponsive)\b",
    re.IGNORECASE,
)
# What helps where all that is known is that a timeout of the server ran out.
_DEADLINE = (
    "find where the server sets this deadline, and what puts it off: that has to come more often (where "
    "nothing does, it is a limit on the age: raise it, or reconnect before it)"
)
_TRACEBACK = "see the server's traceback"
_GOING_AWAY = 1001
# What helps where a process ended by an error, and where it did not say why.
_CRASHED = "mend this error, or catch it where a connection is handled: it ended the process with all of them"
_ENDED = (
    "see why it ended: what runs out of memory, or of its time to stop, gets SIGKILL; one that is told to "
    "stop should close with 1001 or 1012 first"
)
# Causes that need no words of the server: the record itself proves them, or nobody was wrong.
_SETTLED = frozenset({
    Cause.MACHINE_SLEPT, Cause.HARNESS_BLOCKED, Cause.HARNESS_NOT_READING, Cause.INJECTED_FAULT,
    Cause.CLOSED_HERE, Cause.PLANNED_ROTATION,
})  # fmt: skip
# What a keepalive of the server that gave up may be, as far as this end's record tells more.
_KEEPALIVES = frozenset({
    Cause.PING_UNANSWERED, Cause.HEARTBEAT_UNANSWERED, Cause.ENGINE_IO_PING_TIMEOUT, Cause.PONG_LATE,
    Cause.PEER_FROZEN, Cause.PEER_NOT_READING, Cause.CONTROL_FRAMES_LOST, Cause.HALF_OPEN,
    Cause.KEEPALIVE_TIMEOUT,
})  # fmt: skip
# The same for a timeout that the server's words do not name.
_TIMEOUTS = frozenset({Cause.IDLE_TIMEOUT, Cause.READ_DEADLINE, Cause.PONG_DEADLINE, Cause.IDLE_AS_NORMAL})
# What this end's record shows by itself when a keepalive gives up.
_SHOWN = frozenset({Cause.PING_UNANSWERED, Cause.HEARTBEAT_UNANSWERED, Cause.ENGINE_IO_PING_TIMEOUT})
# What a close is that says nothing by itself.
_SAYS_NOTHING = frozenset({Cause.CLOSED_BY_PEER, Cause.IDLE_AS_NORMAL})
# Why heartbeats are not answered on a connection that is open, as far as one end can tell.
_UNANSWERED = frozenset({Cause.HALF_OPEN, Cause.ZOMBIE, Cause.PEER_FROZEN, Cause.PEER_NOT_READING})


def with_lines(
    found: Diagnosis, timelines: Sequence[Timeline], lines: Sequence[ServerLine], *, alone: bool
) -> Diagnosis:
    """
    A diagnosis with what the server said when the connection ended, or what a handler does while it is open.

    Args:
        found: what the records say.
        timelines: the record that was judged, then those of other ends, proxies included, of the connection.
        lines: of the server, oldest first.
        alone: whether there is no other connection that a line may be about.

    """
    if timelines[0].end is not End.CLIENT:
        return found
    end = ClientEnd.of(timelines)
    mine = [each for each in lines if each.kind is LineKind.EXITED or alone or end.is_named_by(each)]
    return with_own_lines(found, end, mine)


def with_own_lines(found: Diagnosis, end: ClientEnd, lines: Sequence[ServerLine]) -> Diagnosis:
    """
    A diagnosis with what the server said of this connection, or what its handler does.

    Args:
        found: what the records say.
        end: how the connection ended, or that it is open.
        lines: of the server, about this connection, oldest first.

    """
    if found.cause in _SETTLED:
        return found
    if end.is_open:
        return _met_error(_taken(_behind_handler(found, end, lines), end, lines), end, lines)
    # Those of what builds up to an end, such as a client that gets slower, begin later.
    unusual = without_routine(lines, end.opened, end.opened + end.age / 2)
    near = [each for each in unusual if _may_be_about(each, end)]
    told = next(_readings(found, near, end), found)
    if told is found:
        return found
    # Of a crash there may be thousands of lines: what was raised stands before the lines of its traceback.
    spoken = sorted(filter(_speaks, near), key=lambda line: line.kind is LineKind.SAID)
    quotes = tuple(_quote(each, end) for each in spoken[:_QUOTED])
    return replace(told, evidence=(*quotes, *told.evidence))


def may_be_an_exit(found: Diagnosis) -> bool:
    """
    Whether the end of the process says more of a close than the close does, which is no goodbye.

    Args:
        found: what the records say.

    """
    is_unsure = found.confidence is Confidence.LOW and found.cause is not Cause.RESTART
    return is_unsure or found.cause in _SAYS_NOTHING


def _may_be_about(line: ServerLine, end: ClientEnd) -> bool:
    """Whether a line is near an end, and not of another process, another connection, or what came later."""
    if line.kind in (LineKind.RETURNED, LineKind.CANCELLED) and end.is_before(line):
        return False
    if line.kind is LineKind.EXITED and line.at < end.opened:
        # The connection was opened to the process that was started after this one.
        return False
    is_of_others = line.kind in (LineKind.BUSY, LineKind.TAKEN) or line.is_of_opening
    return not is_of_others and abs(line.at - end.at) <= AT_THE_END


def _behind_handler(found: Diagnosis, end: ClientEnd, lines: Sequence[ServerLine]) -> Diagnosis:
    """A heartbeat that no handler took, or whose handler still has it."""
    asked = end.asked
    if found.cause not in _UNANSWERED or asked is None:
        return found
    busy = [each for each in lines if each.kind is LineKind.BUSY]
    since = [each for each in busy if each.at <= end.opened + asked + AT_THE_END]
    if not since:
        return found
    evidence = (_quote(since[-1], end), *found.evidence)
    if found.cause is Cause.PEER_NOT_READING:
        # The record alone says so, perhaps of a turn of a conversation: now it is certain.
        return replace(found, confidence=Confidence.HIGH, evidence=evidence)
    stopped = f"server stopped answering heartbeats at {show(round(asked, 3))}: its handler"
    since_when = show(round(max(0.0, since[-1].at - end.opened), 3))
    told = told_anew(
        found, Cause.PEER_NOT_READING, Confidence.HIGH,
        f"{stopped} has asked for no message since {since_when}",
        "find what the handler awaits and give that a timeout, or read in a task of its own",
    )  # fmt: skip
    return replace(told, headline=shortened(f"{stopped} hangs"), evidence=evidence)


def _taken(found: Diagnosis, end: ClientEnd, lines: Sequence[ServerLine]) -> Diagnosis:
    """A heartbeat that the app took, and that it did not answer."""
    asked = end.asked
    taken = [each for each in lines if each.kind is LineKind.TAKEN]
    since = [each for each in taken if asked is not None and each.at >= end.opened + asked - AT_THE_INSTANT]
    is_told = found.cause not in _UNANSWERED or found.cause is Cause.PEER_NOT_READING
    if is_told or asked is None or not since:
        return found
    sure = Confidence.HIGH if end.was_answered else Confidence.MEDIUM
    told = idle_app(found, asked, sure, "it came, and nothing was sent since", is_new=not end.was_answered)
    return replace(told, evidence=(_quote(since[-1], end), *found.evidence))


def _met_error(found: Diagnosis, end: ClientEnd, lines: Sequence[ServerLine]) -> Diagnosis:
    """
    A heartbeat, or a session's first message, that was not answered, and the error logged right behind it.

    Many servers catch what a handler raises for a message, and keep the connection (Mojolicious, NestJS,
    Action Cable, Socket.IO).

    """
    hangs = found.confidence is Confidence.HIGH and found.cause is Cause.PEER_NOT_READING
    begins = found.cause is Cause.SESSION_NOT_CONFIRMED
    asked, what = (end.began, "session asked for") if begins else (end.asked, "heartbeat")
    if asked is None or hangs or not (begins or found.cause in (*_UNANSWERED, Cause.HEARTBEATS_SKIPPED)):
        return found
    instant = end.opened + asked
    # A task that fails again and again did so while heartbeats were answered.
    unusual = without_routine(lines, end.opened, instant, raised=True)
    met = [
        line
        for line in unusual
        if -AT_THE_INSTANT <= line.at - instant <= (AT_THE_INSTANT if line.is_beside else AT_THE_END)
        and _is_error(line)
    ]
    if not met:
        return found
    said = f"the {what} at {show(round(asked, 3))} met an error of the server"
    helps = _TRACEBACK
    # What the server does not know, a name or a heartbeat, is an error of its too.
    if begins:
        helps = f"{_TRACEBACK}; {found.remedy}"
    elif not end.was_answered:
        helps = f"{IS_IT_KNOWN}; if it is, {_TRACEBACK}"
    told = told_anew(found, Cause.HANDLER_ERROR, Confidence.MEDIUM, f"{said}: {_words(met[0])}", helps)
    return replace(told, headline=said, evidence=(_quote(met[0], end), *found.evidence))


def _is_error(line: ServerLine) -> bool:
    """Whether it is an error that was raised, or a warning that speaks of one and of nothing else."""
    reading = read_reason(line.message)
    is_said = line.kind is LineKind.SAID and line.is_warning and reading.is_clear
    return line.is_failure or (is_said and reading.topic is Topic.ERROR)


def _speaks(line: ServerLine) -> bool:
    """Whether a line says anything of a cause, and not in a word that has other meanings where it stands."""
    reading = read_reason(line.message)
    is_doubtful = reading.topic is None or reading.is_vague or reading.is_lone
    return line.kind is not LineKind.SAID or not is_doubtful


def _quote(line: ServerLine, end: ClientEnd) -> Evidence:
    at = max(0.0, line.at - end.opened)
    logged = {LineKind.SAID: "log", LineKind.RAISED: "log", LineKind.EXITED: "process"}
    what = logged.get(line.kind, "app")
    return Evidence(f"the server's {what} at {show(round(at, 3))}: {_words(line)}", at)


def _words(line: ServerLine) -> str:
    return show_text(redact_text(line.first), _LONGEST)


def _readings(found: Diagnosis, lines: Sequence[ServerLine], end: ClientEnd) -> Iterator[Diagnosis]:
    """What the lines make of a diagnosis, the strongest first."""
    # The close frame's own words, or both ends, are certain: nothing that was logged beside them says more.
    is_certain = found.confidence is Confidence.HIGH and found.cause is not Cause.RESTART
    if not is_certain:
        yield from _of_another(found, lines, end)
    yield from _by_actions(found, lines, end)
    if not is_certain:
        yield from _by_words(found, lines, end)


def _by_actions(found: Diagnosis, lines: Sequence[ServerLine], end: ClientEnd) -> Iterator[Diagnosis]:
    """What an end of the process makes of a diagnosis, or of a handler: it returned, or was cancelled."""
    raised = [line for line in lines if line.is_failure and not line.is_beside]
    # A server that is told to stop closes, and cancels its handlers, which is no crash.
    crash = [line for line in raised if not line.may_be_of_end] or ([] if end.was_closed else raised)
    for line in lines:
        # One that said goodbye may end, unless by an error.
        if line.kind is LineKind.EXITED and (crash or not end.was_closed or may_be_an_exit(found)):
            # The error that nobody caught says more than a number.
            how = f"ended: {_words(crash[-1])}" if crash else _words(line)
            # A process may also end because the connection was its last.
            sure = Confidence.HIGH if crash or not end.was_closed else Confidence.MEDIUM
            remedy = _CRASHED if crash else _ENDED
            yield told_anew(found, Cause.RESTART, sure, f"the server's process {how}", remedy)
        # Where a framework logs what a handler raised, its function returns all the same.
        if line.kind is LineKind.RETURNED and not raised:
            returned = told_anew(
                found, Cause.CLOSED_BY_PEER, Confidence.HIGH, "the server's handler returned without a close",
                "let the handler go on for as long as the connection does (while True: await receive), or "
                "close with a code",
            )  # fmt: skip
            yield replace(returned, together="a handler that returned without a close")
        if line.kind is LineKind.CANCELLED:
            yield told_anew(
                found, Cause.HANDLER_ERROR, Confidence.HIGH,
                "the server's handler raised a CancelledError of its own",
                "find what the handler awaits that is cancelled elsewhere, such as a task of its own: catch "
                "asyncio.CancelledError there",
            )  # fmt: skip


def _by_words(found: Diagnosis, lines: Sequence[ServerLine], end: ClientEnd) -> Iterator[Diagnosis]:
    """What words make of a diagnosis: those of handlers first, and those that cannot come of the end."""
    spoken = [line for line in lines if not _repeats(line, end)]
    for line in sorted(spoken, key=lambda each: (each.is_beside, each.may_be_of_end)):
        reading = read_reason(line.message)
        topic = reading.topic if reading.is_clear else None
        told = None if topic is None else _by_topic(found, line, topic)
        if told is None and line.is_failure:
            told = _by_error(found, line, end)
        if told is not None:
            yield told


def _of_another(found: Diagnosis, lines: Sequence[ServerLine], end: ClientEnd) -> Iterator[Diagnosis]:
    """What an error makes of it that quotes a close frame which never went over this connection."""
    if any(line.kind is LineKind.EXITED for line in lines):
        return
    for line in lines:
        code = closed_with(line.message)
        if code is None or code in end.codes or end.is_before(line):
            continue
        # A proxy between the two ends may say 1001 to the server alone.
        is_sure = line.kind is LineKind.RAISED and not line.is_beside and code != _GOING_AWAY
        yield told_anew(
            found, Cause.UPSTREAM_FAILED, Confidence.HIGH if is_sure else Confidence.MEDIUM,
            f"a connection of the server's own, behind its handler, ended: {_words(line)}",
            "see what that service says (its close code and reason); let the handler open it again, or close "
            "this connection with a code that says so",
        )  # fmt: skip


def _repeats(line: ServerLine, end: ClientEnd) -> bool:
    """Whether an error that came of the end quotes its close reason, which confirms nothing."""
    is_of_end = line.kind is LineKind.RAISED and not line.is_failure
    return is_of_end and bool(end.reason) and names(line.text, (end.reason,))


def _by_error(found: Diagnosis, line: ServerLine, end: ClientEnd) -> Diagnosis | None:
    """What an error makes of a diagnosis: its cause, or where it may come of the end, perhaps its cause."""
    is_agreed = found.cause is Cause.HANDLER_ERROR
    if line.may_be_of_end and found.confidence is Confidence.HIGH:
        # What is certain without it stays so: a restart cancels what its handlers do.
        return None
    is_goodbye = end.was_closed and found.cause is Cause.RESTART
    is_known = found.confidence is not Confidence.LOW or is_goodbye
    if line.may_be_of_end and is_known and not is_agreed:
        return or_else(found, tuple(dict.fromkeys((*found.alternatives, Cause.HANDLER_ERROR))))
    is_its_own = end.is_named_by(line) and not end.is_apart_from(line)
    is_at_once = not line.is_beside and abs(line.at - end.at) <= AT_THE_INSTANT
    # A server that says in a close frame that it failed has not lost the connection.
    is_cause = not line.may_be_of_end or (is_agreed and end.was_closed)
    whose = "a task of the server" if line.is_beside else "the server's handler"
    remedy = f"{_TRACEBACK}; {_DEADLINE}" if _TIMEOUT_TYPE.match(line.message) else _TRACEBACK
    return told_anew(
        found, Cause.HANDLER_ERROR,
        Confidence.HIGH if is_cause and (is_its_own or is_at_once) else Confidence.MEDIUM,
        f"{whose} failed: {_words(line)}", remedy,
    )  # fmt: skip


def _by_topic(found: Diagnosis, line: ServerLine, topic: Topic) -> Diagnosis | None:
    """What a line that speaks of one thing makes of a diagnosis; None where it says nothing of this end."""
    said = f"the server logged: {_words(line)}"
    if topic is Topic.KEEPALIVE and not _GAVE_UP.search(line.text.replace("_", " ")):
        return None
    if topic is Topic.KEEPALIVE and found.cause in _KEEPALIVES:
        # It confirms that its keepalive gave up; why the answer was not there, the record says.
        return _confirmed(found, said, surely=found.cause in _SHOWN)
    # "i/o timeout" is all that is logged of a deadline which only pongs reset, or nothing.
    timers = _TIMEOUTS | _KEEPALIVES | {Cause.MAX_AGE} if topic is Topic.TIMEOUT else _TIMEOUTS
    # nginx calls an idle timeout of its own one of the server behind it.
    is_of_proxy = topic is Topic.UPSTREAM and _TIMEOUT_WORDS.search(line.text) is not None
    is_one = not line.is_failure or _TIMEOUT_RAISED.search(line.message) is not None
    if (topic in (Topic.IDLE, Topic.TIMEOUT) or is_of_proxy) and is_one and found.cause in timers:
        # Who says that it waited no longer has no timer of the path to blame.
        own = replace(found, blame=Blame.SERVER) if topic is Topic.IDLE else found
        return _confirmed(own, said, surely=False)
    is_timer = topic in (Topic.IDLE, Topic.KEEPALIVE) and _TIMEOUT_TYPE.match(line.message) is not None
    # Of a message that the record shows to be the largest.
    is_size = topic is Topic.SIZE and Cause.MESSAGE_TOO_BIG in (found.cause, *found.alternatives)
    is_told = is_timer or is_size or topic is Topic.SLOW or line.kind is not LineKind.RAISED
    if topic is Topic.ERROR or not is_told or not (line.says_restart or line.is_warning):
        return None
    cause = CAUSES[topic]
    if cause is found.cause:
        return _confirmed(found, said, surely=topic is not Topic.RESTART or line.says_only_restart)
    confidence = Confidence.HIGH if line.says_only_restart else Confidence.MEDIUM
    remedy = _DEADLINE if topic is Topic.TIMEOUT else "see the server's log at this instant"
    told = told_anew(found, cause, confidence, said, remedy, begin=f"{topic.value}: ")
    if (row := ONE_REMEDY.get(cause)) is None:
        return told
    whose = Blame.CLIENT if row.blame is Blamed.SELF else Blame.SERVER
    helps = f"{row.remedy}; {remedy}".format(peer="server", end="client")
    return replace(told, blame=whose, remedy=helps)


def _confirmed(found: Diagnosis, said: str, *, surely: bool) -> Diagnosis:
    """A diagnosis that a line confirms: what is certain without the line stays so."""
    confidence = Confidence.HIGH if surely or found.confidence is Confidence.HIGH else Confidence.MEDIUM
    return replace(found, confidence=confidence, sentence=f"{found.sentence}; {said}")
