"""A requirement as people write it."""

import dataclasses
import re

import pytest

from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import ExpectedClose, Requirement
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from tests.core.script import FIN, timeline

DURATION = 'give seconds as a number, or text such as "500ms", "25s", "2m", "24h"'
CODES = "valid ones: 1000-1003, 1007-1014 and 3000-4999, 1005 and 1006"


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ({"alive_for": "2m"}, "alive_for", 120.0),
        ({"alive_for": None}, "alive_for", None),
        ({"heartbeat_every": "25s"}, "heartbeat_every", 25.0),
        ({"heartbeat_within": 5}, "heartbeat_within", 5.0),
        ({"heartbeat_within": 5, "heartbeat_missed_max": 2}, "heartbeat_missed_max", 2),
        ({"heartbeat_every": 25, "heartbeats_at_least": 4}, "heartbeats_at_least", 4),
        ({"session_within": "500ms"}, "session_within", 0.5),
        ({"pings_within": "1s"}, "pings_within", 1.0),
        ({"rtt_p95": "150ms"}, "rtt_p95", 0.15),
        ({"alive_for": "2m", "allow_close": 1001}, "allow_close", frozenset({1001})),
        ({"alive_for": "2m", "allow_close": [1001, 1012]}, "allow_close", frozenset({1001, 1012})),
        # Nobody sends 1005 and 1006, but an end may see them.
        ({"alive_for": "2m", "allow_close": (1005, 1006)}, "allow_close", frozenset({1005, 1006})),
        ({"alive_for": "2m", "allow_close": []}, "allow_close", frozenset()),
        ({"alive_for": "2m", "max_age_ok": "1m"}, "max_age_ok", 60.0),
        ({"no_abnormal_closure": True}, "no_abnormal_closure", True),
        ({"closed": ExpectedClose(code=1000)}, "closed", ExpectedClose(code=1000)),
    ],
)
def test_each_keyword_is_converted(written, field, value):
    """Durations become seconds and codes a set; whatever is not asked for stays as it was."""
    requirement = Requirement.of(**written)

    assert getattr(requirement, field) == value
    assert requirement == dataclasses.replace(Requirement(**{field: value}), **{
        other: getattr(requirement, other) for other in written
    })  # fmt: skip


def test_every_field_has_a_keyword():
    """What a requirement can hold can be asked for by name, with None or its default for "not required"."""
    for field in dataclasses.fields(Requirement):
        assert Requirement.of(**{field.name: field.default}) == Requirement()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"alive_for": "2 minutes"}, f"alive_for: '2 minutes' is not a duration; {DURATION}"),
        ({"alive_for": 0}, f"alive_for: must be longer than 0, not 0; {DURATION}"),
        ({"alive_for": -1}, f"alive_for: -1 is negative or not finite; {DURATION}"),
        ({"alive_for": float("nan")}, f"alive_for: nan is negative or not finite; {DURATION}"),
        ({"heartbeat_every": True}, f"heartbeat_every: True is not a duration; {DURATION}"),
        ({"heartbeat_within": [5]}, f"heartbeat_within: [5] is not a duration; {DURATION}"),
        ({"session_within": "soon"}, f"session_within: 'soon' is not a duration; {DURATION}"),
        ({"pings_within": -0.5}, f"pings_within: -0.5 is negative or not finite; {DURATION}"),
        ({"rtt_p95": "fast"}, f"rtt_p95: 'fast' is not a duration; {DURATION}"),
        ({"alive_for": 60, "max_age_ok": ""}, f"max_age_ok: '' is not a duration; {DURATION}"),
        (
            {"heartbeat_missed_max": True},
            "heartbeat_missed_max: True is not a count; give a whole number from 0",
        ),
        ({"heartbeat_missed_max": -1}, "heartbeat_missed_max: -1 is not a count; give a whole number from 0"),
        ({"heartbeats_at_least": 1.5}, "heartbeats_at_least: 1.5 is not a count; give a whole number from 0"),
        ({"heartbeats_at_least": "4"}, "heartbeats_at_least: '4' is not a count; give a whole number from 0"),
        ({"no_abnormal_closure": 1}, "no_abnormal_closure: 1 is not True or False"),
        (
            {"allow_close": "1001"},
            "allow_close: '1001' is no close code; give codes such as 1001 or [1001, 1012]",
        ),
        (
            {"allow_close": None},
            "allow_close: None is no close code; give codes such as 1001 or [1001, 1012]",
        ),
        ({"allow_close": 1004}, f"allow_close: 1004 is no close code; {CODES}"),
        ({"allow_close": True}, f"allow_close: True is no close code; {CODES}"),
        ({"allow_close": [1000, "1001"]}, f"allow_close: '1001' is no close code; {CODES}"),
        ({"allow_close": [1015]}, f"allow_close: 1015 is no close code; {CODES}"),
        ({"closed": 1000}, "closed: 1000 is no ExpectedClose; give ExpectedClose(code=1000), for one"),
        (
            {"closed": ExpectedClose(by="client")},
            "closed: by='client' is no end; give End.CLIENT, End.SERVER, or None for any",
        ),
        (
            {"closed": ExpectedClose(reason=b"bye")},
            "closed: the reason b'bye' is no text; give str, or None for any",
        ),
        ({"closed": ExpectedClose(code=999)}, f"code: 999 is no close code; {CODES}"),
        (
            {"alive_for": "20s", "heartbeat_every": "25s"},
            "heartbeat_every: 25 s is not shorter than the hold (alive_for=20 s), "
            "so no heartbeat would go out",
        ),
        (
            {"alive_for": "25s", "heartbeat_every": "25s"},
            "heartbeat_every: 25 s is not shorter than the hold (alive_for=25 s), "
            "so no heartbeat would go out",
        ),
        # What nothing looks at would read as a promise kept.
        ({"max_age_ok": "1m"}, "max_age_ok: only makes sense with alive_for"),
        ({"allow_close": 1001}, "allow_close: only makes sense with alive_for"),
        (
            {"alive_for": "2m", "heartbeats_at_least": 4},
            "heartbeats_at_least: only makes sense with heartbeat_every or heartbeat_within",
        ),
        (
            {"heartbeat_missed_max": 1},
            "heartbeat_missed_max: only makes sense with heartbeat_every or heartbeat_within",
        ),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(written, message):
    """The error names the keyword, the value and the valid ones."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Requirement.of(**written)


def test_an_unknown_keyword_is_refused():
    """A misspelt promise must not be a promise that nobody checks."""
    with pytest.raises(TypeError) as error:
        Requirement.of(alive="2m")

    assert str(error.value) == (
        "unknown requirement 'alive'; valid ones: alive_for, heartbeat_every, heartbeat_within, "
        "heartbeat_missed_max, heartbeats_at_least, session_within, pings_within, rtt_p95, allow_close, "
        "max_age_ok, no_abnormal_closure, handshake, closed, message_every, messages_at_least, "
        "heartbeats_apart, no_error_messages"
    )


@pytest.mark.parametrize(
    ("written", "within"),
    [
        ({}, None),
        ({"heartbeat_every": 25}, 25.0),
        ({"heartbeat_within": 5}, 5.0),
        ({"heartbeat_every": 25, "heartbeat_within": 5}, 5.0),
    ],
)
def test_time_for_an_answer(written, within):
    """An interval alone also says how long an answer may take."""
    assert Requirement.of(**written).answer_within == within


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (ExpectedClose(), "closed"),
        (ExpectedClose(code=1000), "closed with code 1000"),
        (ExpectedClose(reason=""), "closed with reason ''"),
        (ExpectedClose(by=End.SERVER), "closed by the server"),
        (
            ExpectedClose(code=4408, reason="idle", by=End.SERVER),
            "closed with code 4408, reason 'idle', by the server",
        ),
    ],
)
def test_an_expected_close_in_words(expected, words):
    """What is left open is not said."""
    assert str(expected) == words


def served(at):
    return [(at, "<beat"), (at, ">answer")]


@pytest.mark.parametrize(
    ("written", "rows", "until", "end", "at"),
    [
        ({"alive_for": 120}, [], 0, End.CLIENT, 120),
        ({"alive_for": 120}, [], 119.9, End.CLIENT, 120),
        ({"alive_for": 120}, [], 120, End.CLIENT, None),
        ({"session_within": 5}, [], 1, End.CLIENT, 5),
        ({"session_within": 5}, [(1, "<confirmed")], 2, End.CLIENT, None),
        # The answer to the oldest heartbeat is due first.
        ({"heartbeat_within": 5}, [], 10, End.CLIENT, None),
        ({"heartbeat_within": 5}, [(25, ">beat"), (28, ">beat")], 29, End.CLIENT, 30),
        ({"heartbeat_within": 5}, [(25, ">beat"), (28, ">beat")], 30, End.CLIENT, 33),
        ({"heartbeat_within": 5}, [(25, ">beat"), (26, "<answer")], 26, End.CLIENT, None),
        ({"alive_for": 29, "heartbeat_within": 5}, [(25, ">beat")], 26, End.CLIENT, 29),
        ({"pings_within": 2}, [(20, ">ping", b"1")], 20, End.CLIENT, 22),
        # During a hold more will go out, and may be overdue before it is over.
        ({"alive_for": 120, "heartbeat_every": 25, "heartbeat_within": 5}, [], 0, End.CLIENT, 30),
        ({"alive_for": 120, "heartbeat_every": 25, "heartbeat_within": 5}, [], 28, End.CLIENT, 33),
        (
            {"alive_for": 120, "heartbeat_every": 25, "heartbeat_within": 5},
            [(25, ">beat"), (26, "<answer")],
            30,
            End.CLIENT,
            55,
        ),
        ({"alive_for": 120, "heartbeat_within": 5}, [], 10, End.CLIENT, 15),
        ({"alive_for": 120, "heartbeat_within": 5}, [], 120, End.CLIENT, None),
        ({"alive_for": 120, "pings_within": 2}, [], 10, End.CLIENT, 12),
        # At a server the next heartbeat of the client is due, with half an interval's grace.
        ({"alive_for": 120, "heartbeat_every": 20}, [], 0, End.SERVER, 30),
        ({"alive_for": 120, "heartbeat_every": 20}, served(20), 20, End.SERVER, 50),
        ({"alive_for": 120, "heartbeat_every": 20}, served(20), 50, End.SERVER, 70),
        ({"heartbeat_every": 20}, [], 0, End.SERVER, None),
        # Nothing more happens to what has ended.
        ({"session_within": 5}, [(3, FIN)], None, End.CLIENT, None),
        ({"alive_for": 120}, [(60, FIN)], None, End.CLIENT, None),
    ],
)
def test_when_to_look_again(written, rows, until, end, at):
    """The next instant at which a promise may be broken or kept; None when there is none."""
    assert HoldChecks(Requirement.of(**written)).next_check(timeline(*rows, end=end, until=until)) == at


SESSION = ProtocolFacts(name="calls", title="calls", begins_session=True, has_session=True, names_errors=True)
STARTED = ProtocolFacts(name="started", title="started", begins_session=True)
PLAIN = ProtocolFacts(name="plain", title="plain", greets=True)


@pytest.mark.parametrize(
    ("written", "protocol", "wrong"),
    [
        ({"session_within": 5}, SESSION, None),
        ({"session_within": 5}, None, None),
        ({"session_within": 5}, STARTED, "session_within: the profile 'started' has no session to confirm"),
        ({"session_within": 5}, PLAIN, "session_within: the profile 'plain' has no session to confirm"),
        ({"handshake": True}, SESSION, None),
        ({"handshake": True}, STARTED, None),
        ({"handshake": True}, PLAIN, "handshake: the profile 'plain' has no session"),
        ({"no_error_messages": True}, SESSION, None),
        ({"no_error_messages": True}, PLAIN, "no_error_messages: the profile 'plain' calls no message"),
        ({"no_error_messages": False, "alive_for": 5}, PLAIN, None),
    ],
)  # fmt: skip
def test_what_a_protocol_does_not_have(written, protocol, wrong):
    """It can be neither kept nor broken."""
    requirement = Requirement.of(**written)
    if wrong is None:
        requirement.check_fits(protocol)
        return
    with pytest.raises(ValueError, match=f"^{wrong}"):
        requirement.check_fits(protocol)
