"""What a server said, in the causes of the connections of a fleet: by tables of literals."""

from dataclasses import replace

import pytest

from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.diagnosis.client_end import ClientEnd
from pytest_wsstability.core.diagnosis.lines import LineKind, ServerLine
from pytest_wsstability.core.fleet.frame import Ending, Fate
from pytest_wsstability.core.fleet.told import AS_NEAR, MOST_AT_ONCE, retold

RAISED, SAID, EXITED = LineKind.RAISED, LineKind.SAID, LineKind.EXITED
ERROR = "LookupError: room 7 has no owner"


def ended(number, at, *, port=None, is_open=False, fate=Fate.ENDED, found=Cause.IDLE_TIMEOUT, asked=None):
    """One that opened at 1000 s of the clock, and ended so many seconds later."""
    seen = ClientEnd(opened=1000.0, age=at, is_open=is_open, asked=asked, ports=(port or 40_000 + number,))
    return Ending(
        number=number, fate=fate, age=at, at=at, cause="an idle timeout, or a maximum age", found=found,
        confidence="low", headline="idle timeout", remedy="send more often", seen=seen,
    )  # fmt: skip


def said(at, text=ERROR, kind=RAISED, port=None):
    return ServerLine(at=1000.0 + at, text=text, kind=kind, port=port)


def told(endings, *lines, doing=lambda end: ()):
    """The numbers of those that the server's lines gave another cause."""
    before = {each.number: each.found for each in endings}
    return [each.number for each in retold(endings, lines, doing) if each.found is not before[each.number]]


CROWD = [ended(number, 20.0) for number in range(3)]


@pytest.mark.parametrize(
    ("endings", "lines", "numbers"),
    [
        # By its port, whatever is nearer; and by its words.
        (CROWD, [said(20.5, port=40_001)], [1]),
        (CROWD, [said(20.0, text=f"{ERROR} (127.0.0.1:40002)")], [2]),
        (CROWD, [said(20.0, text=f"{ERROR} (127.0.0.1:40002)", port=9)], [2]),
        # About one that lives on, or whose end is another's.
        (CROWD, [said(20.0, port=50_000)], []),
        (CROWD, [said(21.5, port=40_001)], []),
        # Of nobody: about those that are nearest.
        (CROWD, [said(20.0)], [0, 1, 2]),
        (CROWD, [said(19.0)], [0, 1, 2]),
        (CROWD, [said(18.9)], []),
        ([ended(0, 20.0), ended(1, 20.5)], [said(20.0)], [0]),
        ([ended(0, 20.0), ended(1, 20.5)], [said(20.5)], [1]),
        ([ended(0, 20.0), ended(1, 20.0 + AS_NEAR - 0.01)], [said(20.0)], [0, 1]),
        ([ended(0, 20.0), ended(1, 20.0 + AS_NEAR + 0.01)], [said(20.0)], [0]),
        ([ended(0, 20.0), ended(1, 20.5)], [said(20.0), said(20.5)], [0, 1]),
        # Other words of nobody say nothing, unless the server goes.
        (CROWD, [said(20.0, text="WARNING chat: too many messages", kind=SAID)], []),
        ([ended(0, 20.0), ended(1, 20.5)], [said(20.0, "INFO uvicorn: Shutting down", SAID)], [0, 1]),
        ([ended(0, 20.0), ended(1, 20.5)], [said(20.2, "ended with exit code 3", EXITED)], [0, 1]),
        ([ended(0, 20.0), ended(1, 22.5)], [said(20.2, "ended with exit code 3", EXITED)], [0]),
        # Nobody was judged, or it has no cause; and who is open did not end.
        ([ended(0, 20.0, fate=Fate.UNOBSERVED), ended(1, 20.0)], [said(20.0)], [1]),
        ([ended(0, 20.0, found=None)], [said(20.0)], []),
        ([ended(0, 20.0, is_open=True), ended(1, 20.5)], [said(20.0)], [1]),
        # The record itself proves it.
        ([ended(0, 20.0, found=Cause.CLOSED_HERE)], [said(20.0)], []),
        ([], [said(20.0)], []),
    ],
)
def test_whom_a_line_is_about(endings, lines, numbers):
    assert told(endings, *lines) == numbers


def test_a_session_whose_name_has_no_word_is_told_by_its_port():
    """Where the name alone stands in a line, nobody is told by it."""
    named = [replace(each, seen=replace(each.seen, session="--")) for each in CROWD]

    assert told(named, said(20.0, text=f"{ERROR} (40002)")) == [2]
    assert told(named, said(20.0, text="-- left")) == [0, 1, 2]


def test_an_ending_says_what_a_single_hold_says():
    """Cause, headline, how sure it is, and what to change."""
    (found,) = retold([ended(0, 20.0)], [said(20.0)], lambda end: ())

    assert (found.cause, found.found, found.confidence) == (
        "an error in the handler", Cause.HANDLER_ERROR, "high"
    )  # fmt: skip
    assert found.headline == f"the server's handler failed: {ERROR}"
    assert found.remedy == "see the server's traceback"
    assert (found.number, found.age, found.fate) == (0, 20.0, Fate.ENDED)


def test_without_a_word_all_stays():
    """With the words that its cause had."""
    assert retold(CROWD, [], lambda end: ()) == CROWD


@pytest.mark.parametrize(
    ("asked", "since", "cause"),
    [(10.0, 9.0, Cause.PEER_NOT_READING), (10.0, 11.5, Cause.HALF_OPEN), (None, 9.0, Cause.HALF_OPEN)],
)
def test_a_handler_that_hangs_is_the_cause_of_a_heartbeat_that_stays_open(asked, since, cause):
    """What handlers did is asked for each connection, by its ports."""
    asked_for = []

    def doing(end):
        asked_for.append(end.ports)
        return [said(since, "asks for nothing", LineKind.BUSY)]

    silent = ended(0, 15.0, is_open=True, asked=asked, found=Cause.HALF_OPEN)
    (found,) = retold([silent], [], doing)

    assert found.found is cause
    assert asked_for == [(40_000,)]


def test_no_path_is_blamed_for_those_that_have_none_between_their_ends():
    """The others may have lost frames on theirs."""
    silent = [ended(number, 60.0, is_open=True, found=Cause.HALF_OPEN, asked=50.0) for number in range(2)]
    direct = replace(silent[1], seen=replace(silent[1].seen, is_direct=True))
    found = retold([silent[0], direct], [], lambda end: ())

    assert [each.found for each in found] == [Cause.HALF_OPEN, Cause.ZOMBIE]


def test_a_handler_that_returned_is_not_called_a_close_on_purpose():
    (found,) = retold([ended(0, 20.0)], [], lambda end: [said(20.0, "returned", LineKind.RETURNED)])

    assert (found.cause, found.found) == ("a handler that returned without a close", Cause.CLOSED_BY_PEER)


ALL = [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a-1.b-2", [0]), ("(a-2.b-2)", [1]), ("a-2.b-2 before a-1.b-2", [0, 1]), ("127.0.0.1:40002", [2]),
        # None of them: the error is everybody's.
        ("xa-1.b-2", ALL), ("a-1.b-2x", ALL), ("b-2 a-1", ALL), ("a-3.b-2", ALL), ("140002", ALL),
        ("40002x", ALL), ("_40002", ALL),
    ],
)  # fmt: skip
def test_a_name_stands_by_itself_in_a_line(text, numbers):
    """A port, or the id of a session, whose words others may have too."""
    crowd = [
        replace(each, seen=replace(each.seen, session=session))
        for each, session in zip(CROWD, ("a-1.b-2", "a-2.b-2", None), strict=True)
    ]

    assert told(crowd, said(20.0, text=f"KeyError: {text}")) == numbers


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", [ERROR, "LookupError: room {0} has no owner", "LookupError: connection {1} is lost"]
)
def test_thousands_of_lines_about_thousands_of_connections(text):
    """Each line about each connection takes minutes: the same words at one instant count once."""
    crowd = [ended(number, 20.0) for number in range(3000)]
    lines = [said(20.0, text=text.format(number, 40_000 + number)) for number in range(3000)]

    assert len(told(crowd, *lines)) == 3000


@pytest.mark.parametrize(("before", "found"), [(MOST_AT_ONCE - 1, [0]), (MOST_AT_ONCE, [])])
def test_of_errors_that_name_nobody_so_many_are_looked_at(before, found):
    """A crash has one for each connection; that the server goes is heard all the same."""
    # What a handler gets because its connection is over.
    others = [said(20.0, text=f"ConnectionResetError: {number}") for number in range(before)]

    assert told([ended(0, 20.0)], *others, said(20.0)) == found
    assert told([ended(0, 20.0)], *others, said(20.0, "INFO uvicorn: Shutting down", SAID)) == [0]
