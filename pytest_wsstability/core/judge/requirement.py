"""A stability requirement as a value: what the marker, the assertions and `wsstability hold` all make."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from ..duration import Duration, parse_optional, show_duration
from ..number import is_whole
from ..timeline.close import VALID_CLOSE_CODES, may_be_sent
from ..timeline.events import End
from ..timeline.protocol_facts import ProtocolFacts

# A heartbeat of the peer may come this much later than its interval before the cadence is broken.
CADENCE_TOLERANCE = 1.5
# Seconds that a peer has to show a sign of life after a hold whose heartbeats do not tell that it is there.
PROOF_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedClose:
    """How a connection is expected to have ended; None leaves a part open."""

    code: int | None = None
    reason: str | None = None
    by: End | None = None

    def __str__(self) -> str:
        parts = [f"code {self.code}"] if self.code is not None else []
        parts += [f"reason {self.reason!r}"] if self.reason is not None else []
        parts += [f"by the {self.by.value}"] if self.by is not None else []
        how = " with" if (self.code, self.reason) != (None, None) else ""
        return f"closed{how} {', '.join(parts)}".rstrip()


class RequirementKeywords(TypedDict, total=False):
    """What people write for the fields of a `Requirement`: for editors and type checkers."""

    alive_for: Duration | None
    heartbeat_every: Duration | None
    heartbeat_within: Duration | None
    heartbeat_missed_max: int
    heartbeats_at_least: int
    session_within: Duration | None
    pings_within: Duration | None
    rtt_p95: Duration | None
    allow_close: int | Iterable[int]
    max_age_ok: Duration | None
    no_abnormal_closure: bool
    handshake: bool
    closed: ExpectedClose | None
    message_every: Duration | None
    messages_at_least: int
    heartbeats_apart: Duration | None
    no_error_messages: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """
    What a connection has to keep up. All durations are seconds; None means "not required".

    `Requirement.of` makes one from what people write ("2m").

    """

    # Stay open so long after the opening handshake: any end before is a violation, 1000 and 1005 too.
    alive_for: float | None = None
    # A heartbeat goes out this often.
    heartbeat_every: float | None = None
    # Each heartbeat is answered within; the interval itself when only that is given.
    heartbeat_within: float | None = None
    # So many heartbeats may be missed in all.
    heartbeat_missed_max: int = 0
    # At least so many heartbeats must have been answered in time.
    heartbeats_at_least: int = 0
    # The session is confirmed so soon after the opening handshake.
    session_within: float | None = None
    # Each protocol ping of this end is answered within.
    pings_within: float | None = None
    # 95 of 100 round trips (heartbeats, or else pings) are as quick as this; the slowest of fewer than 20.
    rtt_p95: float | None = None
    # Close codes with which the peer may end the hold early.
    allow_close: frozenset[int] = frozenset()
    # From this age on, an end is a planned rotation.
    max_age_ok: float | None = None
    # No 1006 at this end, nor what hides behind other codes.
    no_abnormal_closure: bool = False
    # The session's handshake is right: each message once, in order, for this session.
    handshake: bool = False
    # The connection has ended, and in this way.
    closed: ExpectedClose | None = None
    # No longer time without an application message than this, from the session's confirmation to the end of
    # the hold; heartbeats, session messages and control frames do not count.
    message_every: float | None = None
    # At least so many application messages came.
    messages_at_least: int = 0
    # Two heartbeats of the peer are never closer: a timer that was not stopped is found.
    heartbeats_apart: float | None = None
    # No message came that the profile calls an error; None: with alive_for.
    no_error_messages: bool | None = None

    @classmethod
    def of(cls, **values: Unpack[RequirementKeywords]) -> Requirement:
        """
        A requirement from durations as people write them and close codes in any iterable.

        Raises:
            TypeError: for a name that a requirement does not have.
            ValueError: for a value that makes no sense, naming it.

        """
        valid = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in valid:
                raise TypeError(f"unknown requirement {name!r}; valid ones: {', '.join(valid)}")
        converted: dict[str, Any] = {name: _CONVERT[name](value, name) for name, value in values.items()}
        requirement = cls(**converted)
        requirement._validate()
        return requirement

    def _validate(self) -> None:
        every, hold = self.heartbeat_every, self.alive_for
        if every is not None and hold is not None and every >= hold:
            raise ValueError(
                f"heartbeat_every: {show_duration(every)} is not shorter than the hold "
                f"(alive_for={show_duration(hold)}), so no heartbeat would go out"
            )
        gap = self.message_every
        if gap is not None and hold is not None and gap >= hold:
            raise ValueError(
                f"message_every: {show_duration(gap)} is not shorter than the hold "
                f"(alive_for={show_duration(hold)}), so no message would be missed"
            )
        # A keyword that nothing looks at would read as a promise kept.
        if hold is None and (self.max_age_ok is not None or self.allow_close):
            name = "allow_close" if self.allow_close else "max_age_ok"
            raise ValueError(f"{name}: only makes sense with alive_for")
        if self.answer_within is None and (self.heartbeat_missed_max or self.heartbeats_at_least):
            name = "heartbeats_at_least" if self.heartbeats_at_least else "heartbeat_missed_max"
            raise ValueError(f"{name}: only makes sense with heartbeat_every or heartbeat_within")

    def check_fits(self, protocol: ProtocolFacts | None) -> None:
        """
        See that a protocol has what is asked for; None is one of which nothing is known.

        Raises:
            ValueError: if it has not, which would read as a promise that was kept or broken.

        """
        if protocol is None:
            return
        name = protocol.name
        if self.session_within is not None and not protocol.has_session:
            raise ValueError(
                f"session_within: the profile {name!r} has no session to confirm; say which message confirms "
                "it (session_confirmed=)"
            )
        if self.handshake and not (protocol.has_session or protocol.begins_session):
            raise ValueError(f"handshake: the profile {name!r} has no session, and so no handshake of one")
        if self.no_error_messages and not protocol.names_errors:
            raise ValueError(
                f"no_error_messages: the profile {name!r} calls no message an error; give it one, such as "
                'error={"type": "error"}'
            )

    @property
    def answer_within(self) -> float | None:
        """Seconds a heartbeat has to be answered in; None when heartbeats are not required."""
        return self.heartbeat_within if self.heartbeat_within is not None else self.heartbeat_every

    def lasts(self, protocol: ProtocolFacts) -> float | None:
        """
        The most seconds that a client's hold takes, with the wait for what is open at its end; None: no hold.

        A server may name longer intervals than those of the protocol, and messages may come more seldom.

        """
        if self.alive_for is None:
            return None
        # The peer may have to show a sign of life, first by a ping, then by a heartbeat; before that the last
        # one may be waited for, and missed. From a peer that answers no pings, the next heartbeat or message
        # is waited for that it sends by itself.
        within, every = self.answer_within or 0.0, max(self.heartbeat_every or 0.0, protocol.every or 0.0)
        answer = within or (PROOF_TIMEOUT if every else 0.0)
        theirs = max(every * CADENCE_TOLERANCE, every + answer)
        by_itself = max(theirs if End.SERVER in protocol.heartbeats_from else 0.0, self.message_every or 0.0)
        missed = within if self.heartbeat_missed_max else 0.0
        waits = max(answer, self.pings_within or 0.0)
        return self.alive_for + missed + max(PROOF_TIMEOUT + waits, by_itself)


def count(value: Any, name: str) -> int:
    """A whole number from 0, or a ValueError that names it."""
    if not is_whole(value, 0):
        raise ValueError(f"{name}: {value!r} is not a count; give a whole number from 0")
    return value


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name}: {value!r} is not True or False")
    return value


def _flag_or_none(value: Any, name: str) -> bool | None:
    return None if value is None else _flag(value, name)


def close_codes(value: int | Iterable[int], name: str) -> frozenset[int]:
    """
    Read one close code, or several in any iterable.

    Raises:
        ValueError: for what is none, naming the keyword.

    """
    if isinstance(value, str) or not isinstance(value, int | Iterable):
        raise ValueError(f"{name}: {value!r} is no close code; give codes such as 1001 or [1001, 1012]")
    return frozenset(_code(code, name) for code in ([value] if isinstance(value, int) else value))


def _code(value: Any, name: str) -> int:
    # 1005 and 1006 stand for what an end saw, so they can be asked for though nobody sends them.
    if not isinstance(value, int) or not (may_be_sent(value) or value in (1005, 1006)):
        raise ValueError(
            f"{name}: {value!r} is no close code; valid ones: {VALID_CLOSE_CODES}, 1005 and 1006"
        )
    return value


def _closed(value: ExpectedClose | None, name: str) -> ExpectedClose | None:
    if value is not None and not isinstance(value, ExpectedClose):
        raise ValueError(f"{name}: {value!r} is no ExpectedClose; give ExpectedClose(code=1000), for one")
    if value is not None:
        _check_parts(value, name)
    return value


def _check_parts(expected: ExpectedClose, name: str) -> None:
    if expected.code is not None:
        _code(expected.code, "code")
    # What is of another type is equal to nothing that ever happens.
    if expected.reason is not None and not isinstance(expected.reason, str):
        raise ValueError(f"{name}: the reason {expected.reason!r} is no text; give str, or None for any")
    if expected.by is not None and not isinstance(expected.by, End):
        raise ValueError(
            f"{name}: by={expected.by!r} is no end; give End.CLIENT, End.SERVER, or None for any"
        )


_CONVERT: dict[str, Callable[[Any, str], Any]] = {
    "alive_for": parse_optional,
    "heartbeat_every": parse_optional,
    "heartbeat_within": parse_optional,
    "session_within": parse_optional,
    "pings_within": parse_optional,
    "rtt_p95": parse_optional,
    "max_age_ok": parse_optional,
    "heartbeat_missed_max": count,
    "heartbeats_at_least": count,
    "no_abnormal_closure": _flag,
    "handshake": _flag,
    "allow_close": close_codes,
    "closed": _closed,
    "message_every": parse_optional,
    "messages_at_least": count,
    "heartbeats_apart": parse_optional,
    "no_error_messages": _flag_or_none,
}


def check_requirement(given: object) -> None:
    """
    See that something is a requirement.

    Raises:
        TypeError: if it is none, such as the URL of another order of arguments.

    """
    if not isinstance(given, Requirement):
        kind = type(given).__name__
        raise TypeError(f"requirement: {kind} is no Requirement; give Requirement.of(alive_for='2m')")
