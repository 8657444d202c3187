"""Rows for ends in the middle of traffic: each limit of what they need."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.features import Shared
from pytest_wsstability.core.diagnosis.rows_ages import CLOSED, ROWS
from pytest_wsstability.core.diagnosis.rows_codes import POLICIES
from pytest_wsstability.core.diagnosis.words import WORDS
from pytest_wsstability.core.template_words import TemplateWords
from pytest_wsstability.core.timeline.events import End, Tier
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import FIN

TALK = [row for at in range(5, 60, 5) for row in ((at, ">text"), (at + 0.5, "<text"))]


@pytest.mark.parametrize("together", [0, 1])
def test_one_other_that_was_opened_at_the_same_instant_shows_no_timer(together):
    """It ended with it, as after any restart."""
    beside = {"together": together, "shared": Shared.EVERYTHING}
    causes = fitting(ROWS, read((20, "<ping"), (20, ">pong"), *TALK, end=57.3, beside=beside))

    assert any(each.startswith("RESTART") for each in causes) is (together == 1)


@pytest.mark.parametrize(
    ("pings", "last", "outlived"), [(2, 55, False), (3, 55, True), (3, 50, False), (3, 50.25, True)]
)
def test_three_pings_and_less_time_than_between_them_exclude_a_keepalive(pings, last, outlived):
    """Each ten seconds, all answered."""
    talk = [row for at in range(2, 60, 2) for row in ((at, ">text"), (at + 0.5, "<text"))]
    asked = [row for at in range(pings) for row in ((last - 10 * at, "<ping"), (last - 10 * at, ">pong"))]
    causes = fitting(ROWS, read(*talk, *asked, beside={"same_age": 2}))

    assert ("MAX_AGE / KEEPALIVE_TIMEOUT" not in causes) is outlived


@pytest.mark.parametrize(
    ("sent", "fits"),
    [([], False), ([(59, ">text")], True), ([(1, ">pong"), (59, ">text")], True)],
)
def test_a_deadline_for_pongs_needs_an_end_that_sends(sent, fits):
    """Who has sent nothing at all is silent, and not without pongs."""
    stream = [(at, "<text") for at in range(1, 60)]
    causes = fitting(ROWS, read(*stream, *sent, end=60 if len(sent) < 2 else 61))

    assert any(each.startswith("PONG_DEADLINE") for each in causes) is fits


@pytest.mark.parametrize(("pong", "fits"), [(1, False), (1.25, True)])
def test_a_deadline_for_pongs_that_nobody_is_known_for_needs_a_pong_after_the_first_second(pong, fits):
    """Forty seconds without one: before, they may be counted from the opening."""
    talk = [row for at in range(3, 40, 3) for row in ((at, ">text"), (at, "<text"))]
    causes = fitting(ROWS, read((pong, ">pong"), *talk, end=pong + 40))

    assert any(each.startswith("PONG_DEADLINE") for each in causes) is fits


@pytest.mark.parametrize("code", [1000, 1001, 1005])
@pytest.mark.parametrize(
    ("pings", "rival"),
    [([], "PONG_DEADLINE"), ([(55, "<ping"), (55, ">pong")], "KEEPALIVE_TIMEOUT")],
)
def test_a_polite_close_at_the_age_of_two_others_may_be_a_limit_on_it(code, pings, rival):
    """Pings of the peer, or none, leave another timer."""
    talk = [(10, ">text"), (10.5, "<text"), (57.5, ">text"), *pings]

    assert fitting(CLOSED, read(*talk, how=code, beside={"same_age": 2})) == [f"MAX_AGE / {rival}"]
    assert fitting(CLOSED, read(*talk, how=code, beside={"same_age": 1})) == []


@pytest.mark.parametrize(
    ("code", "rows", "fits"),
    [
        (1008, [], True),
        (3000, [], True),
        # A rule on messages is met by one of them.
        (1008, [(59.97, ">text")], False),
        (1000, [(59.97, ">text")], True),
        # A stream always ends right after one.
        (1008, [(at / 2, ">audio") for at in range(1, 120)], True),
        *((code, [], False) for code in (1011, 3003, 4000, 4401)),
    ],
)
def test_a_rules_code_at_the_age_of_two_others_may_be_a_limit_on_it(code, rows, fits):
    """autonomous-os 238: 1008 after 150 s, whatever was said."""
    talk = [row for at in range(5, 56, 5) for row in ((at, ">text"), (at + 0.5, "<text"))]
    found = fitting(CLOSED, read(*talk, *rows, how=code, beside={"same_age": 2}))

    assert [each.split(" ")[0] for each in found] == ["MAX_AGE"] * fits
    assert not fits or code < 1002 or "RATE_LIMITED AUTH_EXPIRED" in found[0]


@pytest.mark.parametrize(
    ("code", "age", "is_token"), [(1008, 600, True), (1008, 150, False), (1001, 600, False)]
)
def test_a_rules_code_at_an_age_of_tokens_is_about_credentials(code, age, is_token):
    """All of one lifetime end their connections at one age (RFC 6749 has an hour)."""
    talk = [row for at in range(5, age - 5, 5) for row in ((at, ">text"), (at + 0.5, "<text"))]
    features = read(*talk, end=age, how=code, beside={"same_age": 2})

    assert bool(fitting(CLOSED, features)) is not is_token
    assert any(each.startswith("AUTH_EXPIRED / MAX_AGE") for each in fitting(POLICIES, features)) is is_token


@pytest.mark.parametrize(("age", "in_a_row", "fits"), [(4.75, 2, False), (5, 2, True), (5, 1, False)])
def test_two_others_that_lived_as_long_one_after_another_tell_an_age(age, in_a_row, fits):
    """open-compute 20: each lives for 40.8 s; what fails sooner is a handler."""
    talk = [row for at in range(1, 10) for row in ((at / 2, ">text"), (at / 2 + 0.125, "<text"))]
    more = {"end": age, "beside": {"in_a_row": in_a_row}, "tier": Tier.REAL}
    pings = [(1, "<ping"), (1, ">pong")]
    cut = fitting(ROWS, read(*talk, *pings, **more))
    closed = fitting(CLOSED, read(*talk, *pings, how=1000, **more))

    assert cut == ["MAX_AGE / RESTART"] * fits
    assert closed == ["MAX_AGE / RESTART KEEPALIVE_TIMEOUT"] * fits


@pytest.mark.parametrize("how", [FIN, 1000, 1001])
def test_clients_that_leave_after_as_long_show_no_age_at_the_server(how):
    """Each is a page that was looked at, or a script that was done."""
    features = read(*TALK, end=57.3, how=how, line_end=End.SERVER, beside={"in_a_row": 3})

    assert not [each for each in fitting((*ROWS, *CLOSED), features) if each.startswith("MAX_AGE")]


@pytest.mark.parametrize("code", [1000, 1008])
def test_a_deadline_that_only_messages_put_off_ends_at_one_age_too(code):
    """After the same talk, and a minute in which the client only answered pings."""
    pings = [row for at in range(5, 70, 5) for row in ((at, "<ping"), (at, ">pong"))]
    talk = [(2, ">text"), (2.5, "<text"), (9.5, ">text"), *((at, "<text") for at in range(10, 69, 3))]
    found = fitting(CLOSED, read(*talk, *pings, end=69.5, how=code, beside={"same_age": 2}))

    assert found[0].startswith("MAX_AGE / READ_DEADLINE")


@pytest.mark.parametrize(
    ("said", "heard", "fits"),
    [
        # A subscription, and its feed: nothing else is due of this end.
        ([0.02], range(60, 7200, 60), True),
        ([0.5, 3600], range(60, 7200, 60), False),
        ([0.02], range(60, 7080, 60), False),
        ([], range(60, 7200, 60), False),
        (range(30, 7200, 60), range(60, 7200, 60), True),
    ],
)
def test_a_feed_goes_on_to_a_known_limit(said, heard, fits):
    """AWS API Gateway's two hours, with 1001 (aws-lambda-graphql 124)."""
    rows = [(at, ">text") for at in said] + [(at, "<text") for at in heard]
    features = read(*rows, end=7200, how=1001)

    assert bool(fitting(CLOSED, features)) is fits
    assert ("a heartbeat does not help" in TemplateWords(WORDS, features)["heartbeat_helps"]) is (
        len(said) > 2
    )


@pytest.mark.parametrize(("until", "fits"), [(7200, True), (6000, False)])
def test_a_feed_that_had_stopped_did_not_go_on_to_a_limit(until, fits):
    """Though pings did: what ended the feed may have ended the connection."""
    pings = [row for at in range(50, 7200, 50) for row in ((at, "<ping"), (at, ">pong"))]
    rows = sorted([(0.02, ">text"), *((at, "<text") for at in range(60, until, 60)), *pings])

    assert bool(fitting(CLOSED, read(*rows, end=7200, how=1001))) is fits
