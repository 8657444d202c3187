"""The words that the sentences of a diagnosis are filled with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis.words import WORDS, size
from pytest_wsstability.core.template_words import TemplateWords
from pytest_wsstability.core.timeline.close import LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import DeadlineTraffic, End
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from tests.core.diagnosis.fitting import OPEN, read
from tests.core.script import closed_by_peer

LONG = "x" * 200
BROKEN = {"transport": TransportEnd.ABORTED, "parser_error": LONG}
FAULT = {"transport": TransportEnd.ABORTED, "local_reason": LocalReason.FAULT, "local_detail": LONG}


def ran_out(seconds, *rows):
    """A server whose read deadline of so many seconds ran out."""
    how = {
        "transport": TransportEnd.ABORTED, "deadline": seconds, "reset_by": (DeadlineTraffic.HEARTBEAT,),
        "local_reason": LocalReason.READ_DEADLINE,
    }  # fmt: skip
    return read(*rows, how=how, line_end=End.SERVER)


# A server that begins the session by itself.
SERVER_NAMES = read(how=OPEN, protocol=ProtocolFacts(name="x", title="x", has_session=True))


def resuming(features):
    """The same, where what asks for the session resumes one."""
    features.timeline.session_resumes = True
    return features


SPOKEN = [
    (1, ">text"),
    (1, "<text"),
    (39.5, ">ping", b"1"),
    (39.5, "<pong", b"1"),
    (40, "<ping"),
    (40, ">pong"),
]
# The first ping is answered at once, the next three together.
BUNCH = [
    (0.5, ">ping", b"0"),
    (0.501, "<pong", b"0"),
    *((at, ">ping", b"%d" % at) for at in (1, 2, 3)),
    *((4.5, "<pong", b"%d" % at) for at in (1, 2, 3)),
]
FED = [(at, ">text") for at in range(4, 55, 5)]
RETURNED = (
    "its function returned, it was told to stop, or its own rules (on a path, an origin, a token) say so"
)
DID = "its user, or its own code, did"
SILENT_FOR = "; or it gave up on a server that had sent nothing for"
SAID = [
    # A local server answers in far less than the hundredths that longer ones are told in.
    ("slowest", read((8, ">ping", b"1"), (8.00390625, "<pong", b"1"), how=OPEN), "3.91 ms"),
    ("slowest", read((8, ">ping", b"1"), (9.2578125, "<pong", b"1"), how=OPEN), "1.26 s"),
    ("nine_tenths", ran_out(40.6), "every 36.5 s"),
    # Action Cable's client gives up after 6 s.
    ("reasons_to_close", read(*FED, how=1000, line_end=End.SERVER), f"{DID}{SILENT_FOR} 6 s"),
    ("reasons_to_close", read(*FED, end=59.75, how=1000, line_end=End.SERVER), DID),
    ("reasons_to_close", read((1, ">text"), (54, ">text"), how=1000, line_end=End.SERVER), DID),
    ("reasons_to_close", read((54, "<text"), how=1000), RETURNED),
    ("half", ran_out(40.6), "20.3 s"),
    # A whole second's half, where there is one.
    ("half_idle", read((1, "<text"), end=8.2), "3.5 s"),
    ("half_idle", read((1, "<text"), end=1.375), "190 ms"),
    ("half_quiet", read((1, "<text"), (22.1, ">text"), end=22.11), "10.5 s"),
    ("half_silent_data", read(*SPOKEN), "29.5 s"),
    ("half_up", read((1, ">text"), end=60), "29.5 s"),
    ("half_down", read((1, "<text"), end=60), "29.5 s"),
    # No silence that was longer than those before it.
    ("up_time", read((30, ">text"), (59, ">text"), end=60), "1 s"),
    ("stood_still", read(*BUNCH), " (for 3.5 s: answers came several at once)"),
    # Where nothing of the kind is on record.
    ("beats_before", read(), "0"),
    ("beat_gap", read(), "60 s"),
    ("beat_gap", read((20, ">beat")), "40 s"),
    ("behind", read(), "0 s"),
    ("queued", read(), "0 B"),
    ("timer", read(), ""),
    ("timer_waited", read(), "an unknown time"),
    ("slept", read((50, "slept", 30.26)), "30.3 s"),
    ("code_short", read(), "no code"),
    ("code_short", read(how=4711), "4711"),
    ("said_or_policy", read(how=OPEN), "policy"),
    ("said_or_policy", read(how=1008), "policy"),
    ("said_or_policy", read(how=closed_by_peer(1008, "go away")), '"go away"'),
    ("session", read(how=OPEN), "no greeting arrived, so session_info was not sent"),
    ("session", read(how=OPEN, line_end=End.SERVER), "the client never sent session_info"),
    ("session", read((1, "<hello"), how=OPEN), "session_info was never sent"),
    ("session", SERVER_NAMES, "no confirmation arrived"),
    ("session", read((1, ">info"), how=OPEN), "session_info sent at 1 s, and no answer"),
    ("session_due", SERVER_NAMES, "confirmation"),
    ("instead_of_session", SERVER_NAMES, "nothing"),
    (
        "session",
        read((1, "<info"), how=OPEN, line_end=End.SERVER),
        "session_info received at 1 s, and no answer",
    ),
    ("session", resuming(read((1, ">info"), how=OPEN)), "resume sent at 1 s, and no answer"),
    ("said_at", read((59, "<error", "oh")), "59 s"),
    ("said_at", read(), "an unknown time"),
    ("proxy_shows", read(), "its pong had not passed the proxy yet, behind other bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "features", "words"), SAID)
def test_a_word_of_a_template(name, features, words):
    """Of one record each."""
    assert TemplateWords(WORDS, features)[name] == words


@pytest.mark.parametrize(
    ("name", "features", "characters"),
    [
        ("parser_error", read(how=BROKEN), 120),
        ("local_reason", read(how=FAULT), 120),
        ("injected", replace(read(), injected=LONG), 50),
        ("said", read((59, "<error", LONG)), 120),
    ],
)
def test_what_others_wrote_is_shortened(name, features, characters):
    """So that the sentence around it can be read."""
    assert len(TemplateWords(WORDS, features)[name]) == characters


@pytest.mark.parametrize(
    ("bytes_", "shown"), [(3500, "3500 B"), (10_239, "10239 B"), (10_240, "10 KiB"), (20_480, "20 KiB")]
)
def test_bytes_are_counted_up_to_ten_kibibytes(bytes_, shown):
    """Then a digit more says nothing."""
    assert size(bytes_) == shown


BEATS = [(5, "<beat"), (10, "<beat")]


@pytest.mark.parametrize(
    ("seconds", "rows", "is_said"), [(60, BEATS, True), (61, BEATS, False), (60, BEATS[:1], False)]
)
def test_a_minute_is_how_often_hidden_tabs_run_their_timers(seconds, rows, is_said):
    """A deadline of more is long enough; one heartbeat shows no timer of a page."""
    assert (TemplateWords(WORDS, ran_out(seconds, *rows))["hidden_tab"] != "") is is_said
