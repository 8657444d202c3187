"""What is wrong with the messages of a session's handshake."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.handshake import (
    confirmation_flaw,
    info_flaw,
    judge_resumption,
    refusal,
    session_due,
)
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from tests.core.script import FIN, PLANNED, timeline

HANDSHAKE = Requirement.of(handshake=True)


def server(*rows, session_id=None):
    line = timeline(*rows, end=End.SERVER, until=1)
    line.session_id = session_id
    return line


@pytest.mark.parametrize(
    ("rows", "known", "came", "options", "flaw"),
    [
        ([(0, ">hello")], None, "a", {}, None),
        ([], None, "a", {}, Flaw.EARLY),
        ([], None, "a", {"has_greeting": False}, None),
        ([(0, ">hello")], None, None, {}, Flaw.MALFORMED),
        ([(0, ">hello")], None, "", {}, Flaw.MALFORMED),
        ([(0, ">hello")], None, "  ", {}, Flaw.MALFORMED),
        ([(0, ">hello")], None, None, {"names_session": False}, None),
        ([(0, ">hello")], "a", "a", {}, Flaw.REPEATED),
        ([(0, ">hello")], "a", "b", {}, Flaw.CHANGED),
        ([(0, ">hello")], "a", None, {"names_session": False}, Flaw.REPEATED),
    ],
)
def test_what_is_wrong_with_a_session_info(rows, known, came, options, flaw):
    """A client waits for the greeting, and names its session once."""
    found = info_flaw(server(*rows, session_id=known), came, **{"has_greeting": True, **options})

    assert found is flaw


SAID = [(0.1, "<hello"), (0.1, ">info")]


@pytest.mark.parametrize(
    ("rows", "came", "options", "flaw"),
    [
        (SAID, "a", {"names_session": True}, None),
        (SAID, None, {}, None),
        (SAID, None, {"names_session": True}, Flaw.UNNAMED),
        (SAID, "b", {"names_session": True}, Flaw.WRONG_SESSION),
        (SAID, "", {"names_session": True}, Flaw.WRONG_SESSION),
        (SAID, None, {"names_session": True, "again": True}, Flaw.CONFIRMED_AGAIN),
        (SAID[:1], "a", {"names_session": True}, Flaw.UNASKED),
    ],
)
def test_what_is_wrong_with_a_confirmation(rows, came, options, flaw):
    """It names the session, where the protocol has its id."""
    line = timeline(*rows, until=1)
    line.session_id = "a"

    assert confirmation_flaw(line, came, **{"again": False, **options}) is flaw


@pytest.mark.parametrize(
    ("facts", "rows", "outcome"),
    [
        ({"begins_session": True, "has_session": True}, SAID, Outcome.INCONCLUSIVE),
        # Nothing is confirmed, or begun, where the protocol has no such message.
        ({"begins_session": True}, SAID, Outcome.STABLE),
        ({"has_session": True}, [(0.2, "<confirmed")], Outcome.STABLE),
        ({"has_session": True}, [], Outcome.INCONCLUSIVE),
    ],
)
def test_a_handshake_of_a_protocol_that_has_a_part_of_it(facts, rows, outcome):
    """What there is not is not waited for."""
    line = timeline(*rows, until=1)
    line.protocol = ProtocolFacts(name="x", title="x", **facts)

    assert judge(HANDSHAKE, line).outcome is outcome


@pytest.mark.parametrize(
    ("end", "rows", "outcome", "line"),
    [
        (End.CLIENT, [], Outcome.INCONCLUSIVE, "session_info was not sent so far"),
        (End.SERVER, [], Outcome.INCONCLUSIVE, "the client never sent session_info so far"),
        (End.SERVER, [(0.5, FIN)], Outcome.UNSTABLE, "the client never sent session_info"),
        (End.SERVER, [(0.5, PLANNED)], Outcome.INCONCLUSIVE, "the client never sent session_info so far"),
        (End.CLIENT, [(0.1, "<hello"), (0.1, ">info")], Outcome.INCONCLUSIVE, "was not confirmed so far"),
        (End.CLIENT, [(0.1, ">info"), (0.5, FIN)], Outcome.UNSTABLE, "the session was not confirmed"),
        (End.CLIENT, [(0.1, ">info"), (0.5, PLANNED)], Outcome.INCONCLUSIVE, "was not confirmed so far"),
        # What a server has not said itself proves nothing about its client.
        (End.SERVER, [(0.1, "<info"), (0.5, FIN)], Outcome.INCONCLUSIVE, "was not confirmed so far"),
        (End.CLIENT, [(0.1, "<hello"), (0.1, ">info"), (0.2, "<confirmed")], Outcome.STABLE, ""),
    ],
)
def test_a_handshake_that_has_not_happened(end, rows, outcome, line):
    """While it may still come it is in doubt; with the end of the connection it is broken."""
    verdict = judge(HANDSHAKE, timeline(*rows, end=end, until=1))

    assert verdict.outcome is outcome
    assert line in " ".join(
        [*(each.text for each in verdict.doubts), *(v.observed for v in verdict.violations)]
    )


@pytest.mark.parametrize(
    ("resumed", "named", "outcome"),
    [
        (True, "a", Outcome.STABLE),
        (None, "a", Outcome.STABLE),
        (False, "a", Outcome.UNSTABLE),
        (False, "b", Outcome.UNSTABLE),
    ],
)
def test_a_session_that_comes_back(resumed, named, outcome):
    """The server says whether it is the same; where nobody can say otherwise, it is."""
    line = timeline((0.1, "<hello"), (0.1, ">info"), (0.2, "<confirmed"), until=1)
    line.session_id = named
    verdict = judge_resumption(line, resumed=resumed, expected="a")

    assert verdict.outcome is outcome
    if named == "b":
        assert verdict.violations[0].observed.startswith("session 'b', not 'a' was confirmed")
    elif outcome is Outcome.UNSTABLE:
        assert verdict.violations[0].observed.startswith("a new session was confirmed")


@pytest.mark.parametrize(
    ("end", "rows", "told"),
    [
        (End.CLIENT, [(0.2, "<refused")], "refused at 200 ms"),
        (End.SERVER, [(0.2, ">refused")], "refused at 200 ms"),
        (End.SERVER, [(0.2, "<refused")], None),
        # An error is what many protocols say instead, once they were asked.
        (
            End.CLIENT,
            [(0.1, ">info"), (0.1, "<error", "no"), (0.3, "<error", "never")],
            "an error at 100 ms: 'no'",
        ),
        (End.CLIENT, [(0.05, "<error", "no"), (0.1, ">info")], None),
        (End.CLIENT, [(0.05, "<error", "no")], None),
    ],
)
def test_what_came_instead_of_a_confirmation(end, rows, told):
    """By whichever end has to confirm."""
    found = refusal(timeline(*rows, end=end, until=1))

    assert (found and found[1]) == told


def test_what_a_refusal_says_is_quoted():
    """The last one's own."""
    line = timeline((0.1, "<refused", "later"), (0.2, "<refused", "never"), until=1)

    assert refusal(line) == (pytest.approx(0.2), "refused at 200 ms: 'never'")


@pytest.mark.parametrize(
    ("flaw", "outcome"), [(Flaw.WRONG_SESSION, Outcome.UNSTABLE), (Flaw.UNNAMED, Outcome.STABLE)]
)
def test_a_confirmation_of_another_session_is_none(flaw, outcome):
    """Other flaws of it are the handshake's affair."""
    line = timeline(*SAID, (0.2, "<confirmed"), until=1)
    line.irregularity(1000.2, flaw, "session 'b', not 'a'")

    assert judge(Requirement.of(session_within=5), line).outcome is outcome


@pytest.mark.parametrize(
    ("facts", "rows", "due", "observed"),
    [
        ({"greets": True}, [], "greeting", "no greeting arrived, so session_info was not sent"),
        ({"greets": True}, [(0.5, "<hello")], "step", "session_info was never sent"),
        ({}, [], "step", "session_info was never sent"),
        ({}, [(0.5, ">info")], "confirmation", "session_info sent at 500 ms, never confirmed"),
        # The server begins it by itself: nothing that the client sends is waited for.
        ({"begins_session": False}, [], "confirmation", "no confirmation arrived"),
        (
            {"begins_session": False, "greets": True},
            [(0.5, "<hello")],
            "confirmation",
            "no confirmation arrived",
        ),
    ],
)
def test_what_a_client_waits_for(facts, rows, due, observed):
    """Is told in its own word."""
    line = timeline(*rows, until=10)
    known = {"begins_session": True, "has_session": True, **facts}
    line.protocol = ProtocolFacts(name="x", title="x", **known)
    (violation,) = judge(Requirement.of(session_within="5s"), line).violations

    assert session_due(line) == due
    assert violation.observed == observed
