"""The numbers of a diagnosis and its remedies: the right silence, the right count, advice that fits."""

import pytest

from pytest_wsstability.core.diagnosis import Cause, diagnose
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.timeline.close import LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import DeadlineTraffic, End, Tier
from tests.core.script import FIN, RST, in_order, timeline

SERVER = End.SERVER


def every(step, until, what):
    return [(at, what) for at in range(step, until, step)]


TALK = [row for at in (2, 10, 20) for row in ((at, ">text"), (at + 0.1, "<text"))]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        # Nothing at all of the client for a minute, while the server speaks.
        (in_order(TALK, every(7, 80, "<text"), [(80, FIN)]), "the client sent no bytes for 60 s"),
        # Its ping frames went on, its messages did not.
        (
            in_order(TALK, every(7, 80, "<text"), every(9, 80, ">ping"), [(80, FIN)]),
            "the client sent no messages for 60 s",
        ),
        (
            in_order(TALK, every(7, 80, ">text"), [(80.1, FIN)]),
            "no bytes came for 60 s",
        ),
        (
            in_order(
                TALK, every(7, 80, ">text"), every(9, 80, "<ping"), every(9, 80, ">pong"), [(80.1, FIN)]
            ),
            "no messages came for 60 s",
        ),
    ],
)
def test_a_silence_of_one_way_is_that_of_the_kind_that_was_missing(rows, words):
    """The longest silence, of the direction and the kind of traffic that had been spoken."""
    assert words in diagnose(timeline(*rows)).sentence


@pytest.mark.parametrize("living", [0, 2])
def test_how_many_others_lived_on_is_said_when_none_did(living):
    """That none did is what tells a restart."""
    beats = [(5, ">beat"), (5.1, "<answer")]
    mine = timeline(*beats, (11.3, FIN), origin=1000)
    others = [timeline(*beats, (at, FIN), origin=1011.3 - at) for at in (7.26, 23.94)]
    others += [timeline(*beats, until=30, origin=1000) for _ in range(living)]

    (said,) = (each.text for each in diagnose(mine, cohort=others).evidence if "lived on" in each.text)
    assert said == f"2 other connections ended within 2 s, {living} lived on; ages 7.3 s to 23.9 s"


@pytest.mark.parametrize("answered", [[], [(10, ">beat"), (10.05, "<answer")]])
def test_a_heartbeat_without_an_answer_is_no_slow_answer(answered):
    """It is unanswered, and no time of "0 s" is named."""
    line = timeline(*answered, (20, ">beat"), until=25.5)
    requirement = Requirement.of(alive_for=60, heartbeat_every=10, heartbeat_within=5)
    found = diagnose(line, verdict=judge(requirement, line))

    assert found.cause is not Cause.SLOW_ANSWERS
    assert " 0 s" not in f"{found.headline} {found.sentence}"


@pytest.mark.parametrize("end", [None, FIN])
def test_half_a_frame_whose_rest_never_came_is_told_as_that(end):
    """Since when it hangs, with the connection open, and when it was cut."""
    line = timeline((1, ">text"), (1.1, "<text"), until=8)
    line.half_frame(1010, True)
    line.observe(1070)
    requirement = Requirement.of(alive_for=60, heartbeat_every=10, heartbeat_within=5)
    found = diagnose(line, verdict=judge(requirement, line))

    assert found.cause is Cause.HALF_FRAME
    assert "10 s" in found.sentence


@pytest.mark.parametrize(("beats", "is_said"), [(True, True), (False, False)])
def test_only_a_client_with_heartbeats_is_told_of_hidden_tabs(beats, is_said):
    """Its timers are what a hidden tab slows down."""
    rows = [(at, "<beat") for at in (5, 10)] if beats else [(5, "<text"), (10, "<text")]
    end = {
        "transport": TransportEnd.ABORTED, "deadline": 30.0, "reset_by": (DeadlineTraffic.HEARTBEAT,),
        "local_reason": LocalReason.READ_DEADLINE,
    }  # fmt: skip
    line = timeline(*rows, (40, end), end=SERVER)

    assert ("hidden" in diagnose(line).remedy) is is_said


@pytest.mark.parametrize(
    ("head", "is_said"),
    [
        # A pong of 200 bytes, and a text with the bit of permessage-deflate.
        ("\x8a\x7e\x00\xc8", False),
        ("\xc1\x05hello", True),
    ],
)
def test_only_a_reserved_bit_speaks_of_compression(head, is_said):
    """A control frame that is too long has nothing to do with it."""
    how = {"transport": TransportEnd.ABORTED, "parser_error": "control frame too long", "stray": head}
    found = diagnose(timeline((1, ">text"), (1.1, "<text"), (5, how)))

    assert found.cause is Cause.PROTOCOL_ERROR
    assert ("compression" in found.remedy) is is_said


@pytest.mark.parametrize("spoke", [True, False])
@pytest.mark.parametrize("how", [FIN, RST])
def test_a_server_that_is_killed_under_twenty_holds_may_have_crashed(spoke, how):
    """Whatever was spoken, and in whatever order they were opened."""
    said = [(1, ">text"), (1.1, "<text")] if spoke else []
    lines = [
        timeline(*said, (12.5 - 0.05 * number, how), origin=1000 + 0.05 * number, tier=Tier.REAL)
        for number in range(20)
    ]
    found = diagnose(lines[0], cohort=lines[1:])

    assert Cause.RESTART in (found.cause, found.runner_up, *found.alternatives)
