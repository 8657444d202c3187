"""Rows for sessions that were confirmed twice, or never."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.cause import Blame, Cause, Confidence
from pytest_wsstability.core.diagnosis import diagnose
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_session import REFUSED, ROWS
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from pytest_wsstability.profiles.catalogue import shipped
from tests.core.diagnosis.fitting import OPEN, fitting, read
from tests.core.script import closed_by_peer, timeline


def missing(*rows, end=60):
    """A session that was due."""
    return replace(read((10, ">info"), *rows, end=end, how=OPEN), broken=frozenset({Rule.SESSION}))


@pytest.mark.parametrize(
    ("heard", "end", "rivals"),
    [
        # An answer has a second; in virtual time it has the instant of the question, and stands behind it.
        ([], 11, ""),
        # A dead path; and, where no frame ever came, a proxy that passes none.
        ([], 11.25, " / HALF_OPEN HALF_OPEN"),
        ([(11, "<text")], 60, ""),
        ([(10, "<pong")], 60, ""),
        ([(9.75, "<text")], 60, " / HALF_OPEN"),
        ([(11.25, "<text")], 60, ""),
    ],
)
def test_a_session_that_is_not_confirmed_may_be_a_dead_path(heard, end, rivals):
    """If nothing was heard since its first message."""
    assert fitting(ROWS, missing(*heard, end=end)) == [f"SESSION_NOT_CONFIRMED{rivals}"]


@pytest.mark.parametrize(
    ("rows", "blame"),
    [
        # Its client has said all that it has to, whatever comes behind it.
        ([(0, "<info")], Blame.SERVER),
        ([(0, "<info"), (0, "<text")], Blame.SERVER),
        ([(3.75, "<info"), (4, "<text")], Blame.SERVER),
        # An answer has a second: the client was late.
        ([(4, "<info")], Blame.CLIENT),
        ([(0, "<text")], Blame.CLIENT),
    ],
)
def test_who_is_to_blame_for_a_session_that_the_server_did_not_confirm(rows, blame):
    """As the server's own record has it."""
    server = timeline(*rows, until=5, end=End.SERVER)
    found = diagnose(server, verdict=judge(Requirement(session_within=5), server))

    assert (found.cause, found.blame) == (Cause.SESSION_NOT_CONFIRMED, blame)


@pytest.mark.parametrize(
    ("rows", "rivals"),
    [
        ([(10, "<text"), (10, ">info")], " / HALF_OPEN"),
        ([(1, "<text")], ""),
        # Beyond what the record holds, only instants tell.
        ([(10, ">info"), (10, "<text"), *[(10, ">ping", b"x")] * 90], " / HALF_OPEN"),
    ],
)
def test_what_came_before_the_question_is_no_answer_to_it(rows, rivals):
    """Where no greeting came and nothing went out, whatever was heard shows that the path lives."""
    features = replace(read(*rows, how=OPEN), broken=frozenset({Rule.SESSION}))

    assert fitting(ROWS, features) == [f"SESSION_NOT_CONFIRMED{rivals}"]


@pytest.mark.parametrize(
    ("line_end", "flaws", "causes"),
    [
        (End.CLIENT, [], ["SESSION_NOT_CONFIRMED"]),
        # What was said wrongly is told as that; and it is the server that confirms.
        (End.CLIENT, [Flaw.UNASKED], []),
        (End.SERVER, [], []),
    ],
)
def test_a_handshake_without_its_confirmation_is_a_session_that_was_not_confirmed(line_end, flaws, causes):
    features = read((10, ">info"), (11, "<text"), how=OPEN, line_end=line_end)
    for flaw in flaws:
        features.timeline.irregularity(1012, flaw, "the detail")

    assert fitting(ROWS, replace(features, broken=frozenset({Rule.HANDSHAKE}))) == causes


TWICE = ["SESSION_NOT_CONFIRMED"] * 2


@pytest.mark.parametrize(
    ("rows", "causes"),
    [
        # An answer has a second. What is no application's message is known, and is something else.
        ([(10, ">info"), (10, "<text")], TWICE),
        ([(10, ">info"), (10.75, "<text")], TWICE),
        # Its end is one that the profile does not wait for.
        ([(10, ">info"), (10, "<half")], TWICE),
        ([(10, ">info"), (11, "<text")], TWICE[:1]),
        ([(10, ">info"), (10, "<beat"), (10, "<text")], TWICE[:1]),
        # Nothing was asked: the server speaks first.
        ([(0.75, "<text")], TWICE),
        ([(1, "<text")], TWICE[:1]),
        # The server says what is the client's to say.
        ([(0.75, "<info")], TWICE),
        ([(10, ">info"), (10.75, "<info")], TWICE),
    ],
)
def test_a_message_in_the_place_of_the_confirmation_may_be_one_that_is_not_known(rows, causes):
    """The profile may be wrong, and not the server: that comes before what is told of silence."""
    features = replace(read(*rows, how=OPEN), broken=frozenset({Rule.SESSION}))

    assert fitting(ROWS, features) == causes


def test_what_came_in_the_place_of_the_confirmation_is_quoted():
    """With the step that is due, and its kind and size."""
    line = timeline((0, "<hello"), (0, ">info"), (0, "<text"), until=60)
    found = judge(Requirement.of(session_within="5s"), line)
    told = diagnose(line, verdict=found)

    assert told.headline == "no confirmation that the profile knows: a text message of 100 B"
    assert (told.confidence, told.blame) == (Confidence.MEDIUM, Blame.SERVER)


def test_a_session_that_was_refused_has_a_row_of_its_own():
    """One that was confirmed, however late, has none."""
    assert fitting(REFUSED, missing((11, "<refused"))) == ["SESSION_NOT_CONFIRMED"]
    assert fitting(REFUSED, missing((11, "<refused"), (50, "<confirmed"))) == []
    assert fitting(REFUSED, missing()) == fitting(ROWS, missing((50, "<confirmed"))) == []


@pytest.mark.parametrize(("end", "fits"), [(10, True), (10.25, False)])
def test_a_refusal_is_about_an_end_within_five_seconds(end, fits):
    """Whatever code it has; a later one is another matter."""
    assert bool(fitting(REFUSED, read((5, "<refused"), end=end, how=1011))) is fits


@pytest.mark.parametrize("broken", [Rule.SESSION, Rule.ERRORS, Rule.CADENCE])
def test_a_refusal_is_about_whatever_is_missing_then(broken):
    """And about nothing where nothing is."""
    features = read((5, "<refused"), how=OPEN)

    assert fitting(REFUSED, replace(features, broken=frozenset({broken}))) == ["SESSION_NOT_CONFIRMED"]
    assert fitting(REFUSED, features) == []


@pytest.mark.parametrize(
    ("text", "causes"),
    [
        ("ERROR\nmessage:Bad CONNECT\n\nAccess refused for user 'x'", ["SESSION_NOT_CONFIRMED"]),
        ("no", ["SESSION_NOT_CONFIRMED"]),
        # It says more of the reason: another row's affair.
        ('{"error": "token has expired"}', []),
    ],
)
def test_an_error_in_the_place_of_the_confirmation_is_a_refusal(text, causes):
    """Unless its words are those of another cause."""
    features = read((0, ">info"), (0, "<error", text), how=OPEN)

    assert fitting(REFUSED, replace(features, broken=frozenset({Rule.ERRORS}))) == causes


@pytest.mark.parametrize(
    ("has_session", "cause"), [(True, Cause.SESSION_NOT_CONFIRMED), (False, Cause.HANDLER_ERROR)]
)
def test_where_no_session_is_confirmed_an_error_comes_in_the_place_of_nothing(has_session, cause):
    """It is about what was said before it: such a session is begun, and no answer to that is due."""
    facts = ProtocolFacts(name="x", title="X", begins_session=True, has_session=has_session)
    rows = [(0, ">info"), (10, ">text"), (11, "<text")]
    line = timeline(*rows, (20, "<error", "boom"), (21, closed_by_peer(1011)), protocol=facts)

    assert diagnose(line).cause is cause


@pytest.mark.parametrize("begun", [True, False])
def test_what_the_peer_says_when_it_refuses_is_quoted(begun):
    """Action Cable refuses before its greeting, and closes with 1000."""
    rows = [(0, ">info")] if begun else []
    line = timeline(*rows, (0, "<refused", "unauthorized"), (0, closed_by_peer(1000)))
    found = diagnose(line, verdict=judge(Requirement.of(alive_for=60, session_within=5), line))

    assert (found.cause, found.confidence) == (Cause.SESSION_NOT_CONFIRMED, Confidence.HIGH)
    assert found.sentence.endswith("refused at 0 s: 'unauthorized'")


@pytest.mark.parametrize(
    ("times", "causes"), [(1, []), (2, ["SESSION_DUPLICATED"]), (3, ["SESSION_DUPLICATED"])]
)
def test_two_confirmations_are_one_too_many(times, causes):
    """Of one session."""
    confirmed = [(2 + number, "<confirmed") for number in range(times)]

    assert fitting(ROWS, read((1, ">info"), *confirmed, how=OPEN)) == causes


@pytest.mark.parametrize(
    ("flaw", "causes"), [(Flaw.CONFIRMED_AGAIN, ["SESSION_DUPLICATED"]), (Flaw.MALFORMED, [])]
)
def test_a_second_confirmation_may_be_irregular(flaw, causes):
    """Other flaws make no second session."""
    line = timeline((1, ">info"), (2, "<confirmed"), until=60)
    line.irregularity(1003, flaw, "x")

    assert [each for each in fitting(ROWS, extract(line)) if "DUPLICATED" in each] == causes


def test_what_the_profile_knows_is_not_said_to_be_unknown():
    """Rails says nothing of a channel that it does not have, and pings each 3 s."""
    beats = [(at, "<beat") for at in (3, 6, 9)]
    line = timeline((0.1, ">info"), *beats, until=10, protocol=shipped("actioncable").facts)
    told = diagnose(line, verdict=judge(Requirement.of(session_within=10), line))

    assert told.cause is Cause.SESSION_NOT_CONFIRMED
    assert not [str(each) for each in told.evidence if "profile knows" in str(each)]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "actioncable",
            '; the profile asks for the channel "ChatChannel", and actioncable("YourChannel") for another',
        ),
        ("phoenix", '; the profile asks for the topic "room:lobby", and phoenix("your:topic") for another'),
        ("signalr", "frames has none); if it is"),
    ],
)
def test_a_session_that_has_a_name_may_be_another_of_the_servers(name, told):
    line = timeline((0.1, ">info"), until=10, protocol=shipped(name).facts)
    found = diagnose(line, verdict=judge(Requirement.of(session_within=10), line))

    assert found.cause is Cause.SESSION_NOT_CONFIRMED
    assert told in found.remedy
