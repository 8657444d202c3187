"""Facts on the record, in words: each by a record that has it, and by one that has not."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.cause import Cause, Evidence
from pytest_wsstability.core.diagnosis.cohort import Beside
from pytest_wsstability.core.diagnosis.evidence import facts, ruled_out
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.core.timeline.events import End
from tests.core.script import FIN, timeline


def fact(name, rows, others=(), **known):
    """The named fact, as text and instant; None where the record has it not."""
    found = facts(extract(timeline(*rows), others, **known), (name,))
    return (found[0].text, found[0].at) if found else None


def pings(*waits):
    """Pings of this end, one each ten seconds, with the wait for each pong."""
    rows = []
    for number, wait in enumerate(waits, 1):
        key = bytes([number])
        rows += [(10.0 * number, ">ping", key), (10.0 * number + wait, "<pong", key)]
    return rows


END = (60, FIN)
QUIET = "last byte either way 30 s before the end (at 30 s); the longest silence before was"

FACTS = [
    # One ping, and more than one.
    ("server_pings", [END], ("no ping of the server arrived at the client", None)),
    (
        "server_pings", [(10, "<ping"), (10.5, ">pong"), END],
        ("1 ping came, 1 answered by the client, the slowest within 500 ms", 10),
    ),
    (
        "server_pings", [(10, "<ping"), (10, ">pong"), (20, "<ping"), END],
        ("2 pings came, 1 answered by the client; the one at 20 s was not", 20),
    ),
    # Nothing was ever said, or something early.
    ("silences", [END], ("last byte either way 60 s before the end", 0)),
    (
        "silences", [(0.5, ">text"), (0.5, "<text"), END],
        (
            "last byte either way 59.5 s before the end (at 500 ms); the longest silence before was 500 ms",
            0.5,
        ),
    ),
    # A silence of one way, or of messages, that is longer by a second is not said; by more, it is.
    ("silences", [(29, ">text"), (30, "<text"), END], (f"{QUIET} 29 s", 30)),
    (
        "silences", [(28.75, ">text"), (30, "<text"), END],
        (f"{QUIET} 28.75 s; nothing sent for 31.25 s", 30),
    ),
    ("silences", [(29, "<text"), (30, "<pong"), (30, ">text"), END], (f"{QUIET} 29 s", 30)),
    (
        "silences", [(28.75, "<text"), (30, "<pong"), (30, ">text"), END],
        (f"{QUIET} 28.75 s; no message received for 31.25 s", 30),
    ),
    # A close frame is no message.
    ("last_sent", [(10, ">text"), (59, ">close"), END], ("last message sent: 100 B at 10 s", 10)),
    ("last_received", [(10, ">text"), END], ("no message was received", None)),
    ("slept", [(50, "slept", 30.26), END], ("the machine slept for 30.3 s", None)),
    # What goes on still is counted too.
    (
        "paused", [(10, "paused"), (15.126, "resumed"), (50, "paused"), END],
        ("reading paused for 15.13 s", 50),
    ),
    ("late", [END], None),
    ("late", pings(0.02, 3, 0.5), ("slowest answer 3 s (asked at 20 s), fastest 20 ms", 20)),
    # In virtual time an answer takes no time at all.
    ("late", pings(0, 0), ("slowest answer 0 s (asked at 10 s), fastest 0 s", 10)),
    ("unsent", [END], None),
    ("unsent", [(50, "queued", 20_480), END], ("20 KiB of the client had not left it, since 50 s", 50)),
    ("stray", [END], None),
    ("stray", [(60, {**FIN, "stray": "no"})], ("in place of a frame: 6e 6f (no)", 60)),
    ("errors", [(10, "<text"), END], None),
    ("errors", [(10, "<error", "broken"), END], ("error message at 10 s: broken", 10)),
    ("messages", [(10, "<text"), END], ("no message of the application came", None)),
    (
        "messages", [(10, "<feed"), (25, "<feed"), END],
        ("2 messages came, the last at 25 s (35 s ago), before that never more than 15 s apart", 25),
    ),
    ("half_frame", [END], None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "said"), FACTS)
def test_a_fact_is_said_with_its_instant(name, rows, said):
    """In the words of the record; what the record has not is left out."""
    assert fact(name, rows) == said


@pytest.mark.parametrize(("last", "further"), [(11, ""), (11.25, ", and further bytes until 11.25 s")])
def test_the_first_bytes_of_a_frame_are_said(last, further):
    """And the last, where they came later than a second after them."""
    line = timeline((1, "<text"), until=8)
    for at in (10, last):
        line.half_frame(1000 + at, True)
    line.observe(1070)

    (found,) = facts(extract(line), ("half_frame",))
    assert (found.text, found.at) == (f"the first bytes of a frame came at 10 s{further}", 10)


@pytest.mark.parametrize(
    ("rows", "end", "due"),
    [
        ([(2, "<audio"), (3, "<text")], End.CLIENT, "a greeting"),
        ([(1, "<text"), (1, ">info"), (2, "<audio")], End.CLIENT, "a confirmation"),
        ([(1, "<text"), (1, ">info")], End.CLIENT, None),
        # What a client sends in its place, no profile of the server's waits for.
        ([(2, "<audio")], End.SERVER, None),
    ],
)
def test_what_came_in_the_place_of_the_next_step_of_a_session_is_said(rows, end, due):
    """With its kind and size: the profile may not know the message."""
    found = facts(extract(timeline(*rows, end=end, until=10)), ("instead_of_session",))

    said = f"a binary message of 640 B came at 2 s, and is not {due} that the profile knows"
    assert found == (() if due is None else (Evidence(said, 2),))


@pytest.mark.parametrize("mine", [End.CLIENT, End.SERVER])
def test_pings_of_both_ends_are_said_where_both_were_seen(mine):
    """Whoever sent them, and whoever looked."""
    seen = {
        End.SERVER: [(10, ">ping", b"a"), (10, "<pong", b"a"), (20, ">ping", b"b"), END],
        End.CLIENT: [(10, "<ping"), (10, ">pong"), END],
    }
    line, other = (timeline(*seen[end], end=end) for end in (mine, mine.peer))

    assert facts(extract(line), ("both_pings",)) == ()
    (found,) = facts(extract(line, [other]), ("both_pings",))
    assert found.text == "server sent 2 pings and got 1 pongs; client got 1 pings and sent 1 pongs"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({}, None),
        (
            {"local_reason": LocalReason.READ_DEADLINE, "local_detail": "read deadline of 60 s"},
            "read deadline of 60 s",
        ),
    ],
)
def test_what_the_server_said_of_its_own_end_is_quoted(how, said):
    """Where the server's end is on record, and ended."""
    server = timeline((60, {**FIN, **how}), end=End.SERVER)
    client = extract(timeline(END), [server])

    assert facts(client, ("local_reason",)) == (() if said is None else (Evidence(f"server: {said}", 60.0),))
    for others in ([], [timeline((10, "<text"), end=End.SERVER)]):
        assert facts(extract(timeline(END), others), ("local_reason",)) == ()


@pytest.mark.parametrize(
    ("rows", "passed", "said"),
    [
        ([(20, "<text")], None, None),
        ([(20, "<text")], [(20, "<text")], None),
        ([(20, "<text")], [(18, "<text")], "the proxy had it 2 s before it came here"),
        (
            [(20, "<ping"), (20, ">pong")], [(20, "<ping")],
            "the proxy passed a ping, and no pong after it",
        ),
        (
            [(20, "<ping"), (20, ">pong")], [(18, "<ping")],
            "the proxy had it 2 s before it came here; the proxy passed a ping, and no pong after it",
        ),
    ],
)  # fmt: skip
def test_what_a_proxy_saw_is_said_where_it_differs(rows, passed, said):
    """By the same clock."""
    others = [] if passed is None else [timeline(*passed, end=End.PROXY)]

    assert fact("between", [*rows, END], others) == (said and (said, None))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(10, ">beat"), (10.5, "<answer")], ["a frozen server: it answered heartbeats until 10 s"]),
        # The last one is too young to be missing, and no answer either.
        (
            [(10, ">beat"), (10.5, "<answer"), (59.5, ">beat")],
            ["a frozen server: it answered heartbeats until 10.5 s"],
        ),
        ([(10, ">beat"), (10.5, "<answer"), (20, ">beat")], []),
        ([(10, ">beat")], []),
        ([], []),
    ],
)
def test_a_peer_that_answered_to_the_last_was_not_frozen(rows, said):
    """One that owes an answer may have been."""
    found = ruled_out(
        extract(timeline(*rows, END)), Cause.MAX_AGE, (Cause.PING_UNANSWERED, Cause.IDLE_TIMEOUT)
    )

    assert [each.text for each in found] == said


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (Beside(), None),
        (Beside(same_age=2), "2 other connections ended at the same age, at other instants"),
        (Beside(same_silence=3), "3 other connections ended after the same silence, at other instants"),
        # An age is what people look for.
        (Beside(same_age=2, same_silence=2), "2 other connections ended at the same age, at other instants"),
    ],
)
def test_what_repeats_is_the_age_or_the_silence(beside, said):
    """That of more connections."""
    assert fact("repeated", [END], beside=beside) == (said and (said, None))


PINGS = (Cause.PING_UNANSWERED, Cause.IDLE_TIMEOUT)
WITHHELD = "withheld pongs: all pings were answered, the slowest within 500 ms"
UNSEEN = "a keepalive of the server: no ping of it was seen"


@pytest.mark.parametrize(
    ("rows", "end", "said"),
    [
        ([(60, FIN)], End.CLIENT, [UNSEEN]),
        ([(10, "<ping"), (10.5, ">pong"), (60, FIN)], End.CLIENT, [WITHHELD]),
        # It was not answered, or it is the client that is asked, or nothing has ended.
        ([(10, "<ping"), (60, FIN)], End.CLIENT, []),
        ([(10, "<ping"), (10.5, ">pong"), (60, FIN)], End.SERVER, []),
        ([(60, FIN)], End.SERVER, []),
        ([(10, "<ping"), (10.5, ">pong")], End.CLIENT, []),
    ],
)
def test_a_keepalive_that_was_answered_or_never_seen_is_ruled_out(rows, end, said):
    """It is what people ask about first."""
    features = extract(timeline(*rows, end=end))
    told = [[each.text for each in ruled_out(features, Cause.MAX_AGE, fitting)] for fitting in ((), PINGS)]

    assert told == [said, []]
