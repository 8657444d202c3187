"""What is read from a timeline for the table of causes: each limit from both sides."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.assertions import judge
from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.timeline.close import CloseEvidence
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from tests.core.script import FIN, FRAMES, PLANNED, RECEIVED, RST, closed_by_peer, timeline


def read(*rows, end=60, how=FIN, end_of=End.CLIENT, **options):
    """The features of a script that ends so."""
    return extract(timeline(*rows, (end, how), end=end_of, **options))


def asked(*instants, rtt=0.01):
    """Pings of this end that are answered."""
    keys = {at: bytes([int(at)]) for at in instants}
    return [row for at, key in keys.items() for row in ((at, ">ping", key), (at + rtt, "<pong", key))]


def together(at, *waits):
    """Pings of this end that waited so long, and are answered at one instant."""
    keys = {bytes([200 + number]): wait for number, wait in enumerate(waits)}
    return [(at - wait, ">ping", key) for key, wait in keys.items()] + [(at, "<pong", key) for key in keys]


@pytest.mark.parametrize(("gap", "is_rare"), [(9.9, False), (10.0, True), (12.0, True)])
def test_a_message_after_ten_seconds_without_one_is_rare(gap, is_rare):
    """An end right after it is the answer to it."""
    assert read((20, ">text"), (20 + gap, ">text")).messages.last_is_rare is is_rare


def test_the_only_message_is_a_rare_one():
    assert read((20, ">text")).messages.last_is_rare


@pytest.mark.parametrize(("before", "counts"), [(0.45, True), (0.5, True), (0.55, False)])
def test_an_end_within_half_a_second_answers_a_rare_message(before, counts):
    """However busy the machine is; after a message that is not rare, within 50 ms."""
    assert bool(read((60 - before, ">text")).tail.sent) is counts


@pytest.mark.parametrize(("before", "quiet"), [(0.5, 39.5), (0.25, 39.75)])
def test_how_long_it_was_quiet_before_the_last_frames(before, quiet):
    """Up to the first of those that the end may answer, this one left out."""
    assert read((20, ">text"), (60 - before, ">text")).tail.quiet_before == quiet


@pytest.mark.parametrize("later", [0.0, 0.1])
def test_an_end_is_no_answer_to_a_rare_message_that_has_one(later):
    """A message of the peer that came with it, or after it, is the answer."""
    assert not read((59.6, ">text"), (59.6 + later, "<text")).tail.sent


@pytest.mark.parametrize(
    ("rtt", "before", "counts"),
    [(0.2, 0.55, True), (0.2, 0.65, False), (1.0, 1.9, True), (1.0, 2.1, False)],
)
def test_an_end_within_three_round_trips_answers_any_message(rtt, before, counts):
    """Of two seconds at most: whatever ends by then has a cause of its own."""
    rows = [*asked(10, rtt=rtt), (55, ">text"), (60 - before, ">text")]

    assert bool(read(*rows).tail.sent) is counts


@pytest.mark.parametrize(("before", "counts"), [(0.045, True), (0.055, False)])
def test_an_end_within_50_ms_answers_any_message(before, counts):
    features = read((55, ">text"), (60 - before, ">text"))

    assert bool(features.tail.sent) is counts


@pytest.mark.parametrize(("count", "is_stream"), [(3, False), (4, True)])
def test_more_than_three_messages_in_five_seconds_are_a_stream(count, is_stream):
    """Any end comes right after one of them."""
    inside = [55 + n for n in range(count)]
    outside = [46 + n for n in range(9)]

    assert read(*((at, ">text") for at in outside + inside)).messages.streaming is is_stream


@pytest.mark.parametrize(
    ("instants", "is_stream"),
    [((45, 46, 50), False), ((45, 46, 47, 50), True), ((44.9, 46, 47, 50), False)],
)
def test_messages_that_came_right_before_the_peer_fell_silent_are_a_stream(instants, is_stream):
    """They may have waited for each other; who sent them is the peer."""
    assert read(*((at, "<text") for at in instants)).messages.received_stream is is_stream
    assert not read(*((at, ">text") for at in instants)).messages.received_stream


@pytest.mark.parametrize(("before", "is_open"), [(0.24, False), (0.25, True), (0.26, True)])
def test_this_end_has_a_quarter_of_a_second_to_answer(before, is_open):
    """Its own answers travel nowhere."""
    assert (read((60 - before, "<ping")).peer_pings.unanswered is not None) is is_open


def test_what_was_not_answered_took_no_time():
    """Neither the slowest answer nor the usual one."""
    found = read((10, ">beat"), (20, ">ping", b"1"))

    assert [(each.slowest, each.usual) for each in (found.own_heartbeats, found.own_pings)] == [
        (0, 0),
        (0, 0),
    ]


def test_a_ping_with_the_opening_may_be_the_one_without_an_answer():
    """Some servers ping at once; a pong at that instant answers it."""
    assert read((0, "<ping")).peer_pings.unanswered == 0
    assert read((0, "<ping"), (0, ">pong")).peer_pings.unanswered is None


@pytest.mark.parametrize(("before", "is_open"), [(0.99, False), (1.01, True)])
def test_the_other_end_has_a_second_to_answer(before, is_open):
    assert (read((60 - before, ">ping", b"a")).own_pings.open_since is not None) is is_open


@pytest.mark.parametrize(("before", "is_open"), [(2.9, False), (3.1, True)])
def test_where_answers_are_slow_one_may_be_half_as_slow_again(before, is_open):
    """Answers of 2 s: one that is not there after 3 s is missing."""
    features = read(*asked(10, rtt=2.0), (60 - before, ">ping", b"a"))

    assert (features.own_pings.open_since is not None) is is_open


@pytest.mark.parametrize(
    ("first", "second", "bunches"),
    [
        # Both slow, and at one instant.
        (1.0, 0.5, 1),
        # At one instant, and quick.
        (0.24, 0.2, 0),
        (0.27, 0.26, 1),
        # A single slow one.
        (1.0, None, 0),
    ],
)
def test_answers_that_come_together_are_a_bunch(first, second, bunches):
    """From a quarter of a second on: an end that stood still answers everything at once."""
    rows = [*asked(10, 12, 14), *together(30, *filter(None, (first, second)))]
    found = read(*rows).own_pings

    assert (found.bunches, found.stood_still) == (bunches, pytest.approx(first if bunches else 0))


@pytest.mark.parametrize(("apart", "bunches"), [(0.02, 1), (0.04, 0)])
def test_answers_that_come_within_30_ms_come_at_once(apart, bunches):
    """Wherever on the clock: questions that are asked seconds apart are answered so only after a wait."""
    for instant in (30, 30.0049, 30.013):
        late = [
            (25, ">ping", b"1"), (28, ">ping", b"2"),
            (instant, "<pong", b"1"), (instant + apart, "<pong", b"2"),
        ]  # fmt: skip
        assert read(*asked(10, 12, 14), *late).own_pings.bunches == bunches


@pytest.mark.parametrize(("rtt", "bunches"), [(0.4, 1), (0.6, 0)])
def test_a_bunch_is_five_times_as_slow_as_the_quickest_answer(rtt, bunches):
    """Answers of 100 ms and more make half a second nothing special."""
    quick = rtt / 5 if bunches else rtt / 4
    rows = [*asked(10, 12, 14, rtt=quick), *together(30, rtt + 0.01, rtt + 0.005)]

    assert read(*rows).own_pings.bunches == bunches


@pytest.mark.parametrize(("late", "counts"), [(0.04, True), (0.05, True), (0.06, False)])
def test_a_lag_right_before_the_end_may_have_hidden_it(late, counts):
    """The end may be older by the lag, so that what went out before it may have caused it."""
    rows = [(40, ">text"), (59.2, ">text"), (60 - late, "lag", 0.9)]

    # From the clock's zero on, where an instant is kept to the last bit.
    assert bool(read(*rows, how=RST, origin=0.0).tail.sent) is counts


@pytest.mark.parametrize(("at", "counts"), [(-119, True), (-120, True), (-121, False)])
def test_a_lag_of_two_minutes_ago_is_forgotten(at, counts):
    """Two rounds of the slowest common keepalive."""
    assert bool(read((200 + at, "lag", 0.6), end=200).lag) is counts


@pytest.mark.parametrize(
    ("rows", "largest", "last_is_largest"),
    [
        ([], 0, False),
        ([(10, "<text")], 0, False),
        # Of 1, 100 and 640 bytes.
        ([(10, ">2")], 1, True),
        ([(10, ">text"), (20, ">text")], 100, False),
        ([(10, ">text"), (20, ">audio")], 640, True),
        ([(10, ">audio"), (20, ">text")], 640, False),
    ],
)
def test_the_largest_message_is_of_this_end(rows, largest, last_is_largest):
    """Only where the last is larger than any before may its size have ended the connection."""
    messages = read(*rows).messages

    assert (messages.largest, messages.last_is_largest) == (largest, last_is_largest)


@pytest.mark.parametrize(
    ("instants", "shortest", "longest"),
    [((), 0, 0), ((10,), 0, 0), ((10, 20), 10, 10), ((10, 15, 25), 5, 10)],
)
def test_the_time_between_pings_of_the_peer(instants, shortest, longest):
    """From the first to the last of the record."""
    pings = read(*((at, "<ping") for at in instants)).peer_pings

    assert (pings.shortest_gap, pings.longest_gap) == (shortest, longest)


def test_only_a_pong_of_this_end_answers_a_ping():
    """One of the peer answers another ping, or nobody."""
    assert read((10, "<ping"), (10.125, "<pong"), (10.5, ">pong")).peer_pings.latest == 0.5


def test_a_confirmation_is_counted_where_it_arrives():
    """A server that confirms twice is seen by the client."""
    rows = [(0, "%sinfo"), (0.1, "%sconfirmed"), (0.2, "%sconfirmed")]

    def seen(said, heard, end):
        return read(*((at, what % (said if "info" in what else heard)) for at, what in rows), end_of=end)

    assert seen(">", "<", End.CLIENT).confirmations == 2
    assert seen("<", ">", End.SERVER).confirmations == 0


@pytest.mark.parametrize("end", [End.CLIENT, End.SERVER])
def test_where_both_ends_send_heartbeats_each_is_asked_for_its_own(end):
    """Two of this end, and one of the peer."""
    both = ProtocolFacts(
        name="ours", title="Ours", heartbeat=HeartbeatShape.ANSWERED, heartbeats_from=frozenset(End)
    )
    rows = [(10, ">beat"), (10.1, "<answer"), (20, ">beat"), (20.1, "<answer"), (30, "<beat")]
    found = read(*rows, end_of=end, protocol=both)

    assert (found.own_heartbeats.sent, found.own_heartbeats.answered, found.peer_heartbeats.sent) == (2, 2, 1)
    assert (found.own_heartbeats.open_since, found.peer_heartbeats.open_since) == (None, 30)


def seen_between(rows, proxied, end=End.CLIENT):
    """What a proxy saw of a connection that ended at 60 s; its record began half a second before."""
    proxy = timeline(*((at + 0.5, what) for at, what in proxied), end=End.PROXY, origin=999.5)
    return extract(timeline(*rows, (60, FIN), end=end), [proxy]).between


PING, PONG = (30, "<ping"), (30, ">pong")


@pytest.mark.parametrize(
    ("rows", "proxied", "missing"),
    [
        ([PING, PONG], [PING], True),
        # The one that it passed answers a ping of before.
        ([PING, PONG], [(20, "<ping"), (29, ">pong"), PING], True),
        # It passed the answer, at once in virtual time.
        ([PING, PONG], [PING, PONG], False),
        ([PING, (31, ">pong")], [PING, (31, ">pong")], False),
        # It passed no ping, or one that this end has not answered.
        ([PING, PONG], [], False),
        ([PING, PONG], [(20, ">pong")], False),
        ([PING], [PING], False),
        ([(29, ">pong"), PING], [PING], False),
    ],
)
def test_a_pong_is_missing_that_the_proxy_did_not_pass(rows, proxied, missing):
    """This end sent it after the ping that the proxy passed."""
    assert seen_between(rows, proxied).pong_missing is missing


@pytest.mark.parametrize(
    ("rows", "proxied", "end", "behind"),
    [
        ([(20, "<text")], [(18, "<text")], End.CLIENT, 2),
        ([(20, "<ping"), (10, "<text")], [(18, "<ping")], End.CLIENT, 2),
        ([], [], End.CLIENT, 0.5),
        # Never before the proxy had it; and not of what the server reads.
        ([(18, "<text")], [(20, "<text")], End.CLIENT, 0),
        ([(20, "<text")], [(18, "<text")], End.SERVER, 0),
    ],
)
def test_how_long_after_the_proxy_the_client_had_the_last_frame(rows, proxied, end, behind):
    """On the clock, whenever the records began."""
    assert seen_between(rows, proxied, end).behind == behind


def test_only_a_proxys_record_is_one_of_between():
    """The other end's is none."""
    server = timeline((10, ">ping"), end=End.SERVER)

    assert extract(timeline((10, "<ping"), (60, FIN)), [server]).between is None


@pytest.mark.parametrize(
    ("behind", "passed", "overtaken"),
    [
        # What went out behind the pong has passed, and the pong has not.
        ([(40, ">text")], [(40, ">text")], True),
        # It has not passed yet either, or none went out.
        ([(40, ">text")], [], False),
        ([], [], False),
        # The pong has passed.
        ([(40, ">text")], [PONG, (40, ">text")], False),
    ],
)
def test_a_pong_is_lost_that_later_messages_have_overtaken(behind, passed, overtaken):
    """Bytes arrive in their order: what comes behind it cannot come before it."""
    before = [(20, ">text"), PING]

    assert seen_between([*before, PONG, *behind], [*before, *passed]).overtaken is overtaken


@pytest.mark.parametrize(
    ("end", "confidence"),
    [
        (closed_by_peer(1011, "keepalive ping timeout"), Confidence.HIGH),
        (closed_by_peer(1000), Confidence.MEDIUM),
        (closed_by_peer(4000), Confidence.MEDIUM),
        (FIN, Confidence.MEDIUM),
        # What says another reason is about that.
        (closed_by_peer(1000, "token expired"), None),
        (closed_by_peer(1012), None),
    ],
)
def test_a_pong_that_a_proxy_swallowed_is_no_late_one(end, confidence):
    """The proxy of the test passed what came behind it."""
    rows = [(20, ">text"), PING, PONG, (40, ">text")]
    proxy = timeline((20, ">text"), PING, (40, ">text"), end=End.PROXY)
    found = diagnose(timeline(*rows, (60, end)), [proxy])

    assert (found.confidence if found.cause is Cause.CONTROL_FRAMES_LOST else None) is confidence


@pytest.mark.parametrize(
    ("rows", "came", "until", "since"),
    [
        # A second to answer; a sign of life after it; one that waits for longer.
        ([], None, 121, 120), ([], None, 120.9375, None), ([], 120.5, 125, None),
        ([(90, ">ping", b"x")], None, 125, 90),
        # Heard all the same, when nobody waited any more.
        ([(119, "<text")], None, 125, 120), ([(126, "<text")], None, 130, None),
        # Of an end it says nothing.
        ([], None, None, None),
    ],
)  # fmt: skip
def test_the_ping_at_the_end_of_a_hold_is_a_question_that_stays_open(rows, came, until, since):
    """Any byte answers it."""
    line = timeline(*(row for row in rows if row[0] <= 120))
    line.ask_proof(1120)
    for at in [row[0] for row in rows if row[0] > 120]:
        line.frame(1000 + at, RECEIVED, *FRAMES["text"])
    if came is not None:
        line.prove(1000 + came)
    if until is not None:
        line.observe(1000 + until)
    else:
        line.over(1122, CloseEvidence(end=End.CLIENT, at=122, **closed_by_peer(1000)))

    assert extract(line).own_pings.open_since == since


def test_a_hold_without_a_sign_of_life_has_a_cause():
    """It was undetermined."""
    line = timeline((10, "<ping"), (10, ">pong"))
    line.ask_proof(1120)
    line.observe(1125)
    found = diagnose(line)

    assert (found.cause, found.confidence) == (Cause.HALF_OPEN, Confidence.LOW)
    assert "asked at 120 s" in found.sentence


@pytest.mark.parametrize(
    ("rows", "proxied", "end", "behind"),
    [
        ([(20, "<text"), (40, "<text")], [(19, "<text"), (30, "<text")], End.CLIENT, 1),
        ([(20, "<text")], [(21, "<text")], End.CLIENT, 0),
        # Nothing came, or the server reads nothing of its own.
        ([], [(19, "<text")], End.CLIENT, None),
        ([(20, "<text")], [], End.CLIENT, None),
        ([(20, "<text")], [(19, "<text")], End.SERVER, None),
    ],
)
def test_how_late_the_first_frame_was_at_a_proxy_tells_what_is_usual(rows, proxied, end, behind):
    """Where both records have it."""
    assert seen_between(rows, proxied, end).behind_first == behind


# A ping that is answered 6 s late, where 5 s are allowed: broken at 15 s.
LATE = [(10, ">ping", b"1"), (16, "<pong", b"1")]
# One that is never answered.
OPEN = [(10, ">ping", b"1")]


@pytest.mark.parametrize(
    ("rows", "end", "required", "explains"),
    [
        # Somebody left, later or right then.
        (OPEN, PLANNED, {}, False),
        (OPEN, closed_by_peer(1000), {}, False),
        (OPEN, closed_by_peer(1001), {}, False),
        # What says more, or may be of what has broken the promise.
        (OPEN, closed_by_peer(1000, "no pong"), {}, True),
        (OPEN, closed_by_peer(1011), {}, True),
        (OPEN, FIN, {}, True),
        # It went on for so long.
        (LATE, FIN, {}, True),
        ([*LATE, (16.1, "<text")], FIN, {}, False),
        ([*LATE, (50, "<text")], closed_by_peer(1011), {}, True),
        # The end itself is what is to be explained.
        ([*LATE, (50, "<text")], FIN, {"alive_for": "2m"}, True),
        ([*LATE, (50, "<text")], FIN, {"no_abnormal_closure": True}, True),
    ],
)
def test_an_end_explains_no_promise_that_was_broken_before_and_lived_on(rows, end, required, explains):
    """A client under test goes when it is done, and is then asserted on."""
    line = timeline(*rows, (60, end))
    verdict = judge(Requirement.of(pings_within="5s", **required), line)

    assert min(each.at for each in verdict.violations) == 15
    assert extract(line, verdict=verdict).ended is explains


@pytest.mark.parametrize(("at", "explains"), [(15, True), (15.001, False)])
def test_an_end_that_comes_with_the_break_may_be_its_cause(at, explains):
    line = timeline(*OPEN, (at, closed_by_peer(1000)))
    verdict = judge(Requirement.of(pings_within="5s"), timeline(*OPEN, until=20))

    assert extract(line, verdict=verdict).ended is explains


@pytest.mark.parametrize(
    ("end", "after", "explains"),
    [
        (closed_by_peer(1000), 0.02, True),
        (closed_by_peer(1000), 5, True),
        (closed_by_peer(1000), 5.1, False),
        (FIN, 5, True),
        (FIN, 5.1, False),
        # The test left at once.
        (PLANNED, 0.02, False),
    ],
)
def test_an_end_right_behind_an_error_message_is_about_it(end, after, explains):
    """Who says what is wrong, and closes politely, has not kept the connection open."""
    later = [(32, "<text")] if after > 2 else []
    line = timeline((30, "<error", "token has expired"), *later, (30 + after, end))
    verdict = judge(Requirement.of(no_error_messages=True), line)

    assert verdict.violations
    assert extract(line, verdict=verdict).ended is explains


def test_what_is_undetermined_of_a_connection_that_was_left_is_not_called_open():
    line = timeline((10, "<feed"), (25, "<feed"), (25, "<text"), (60, PLANNED))
    found = diagnose(line, verdict=judge(Requirement.of(message_every="10s"), line))

    assert "ended at 60 s" in found.sentence


@pytest.mark.parametrize("end", [FIN, closed_by_peer(1011)])
def test_no_end_explains_heartbeats_that_are_too_close(end):
    """Two timers of the client run, however it ends then."""
    beats = [(at, "<beat") for at in (10, 14, 20, 24)]
    line = timeline(*beats, (60, end), end=End.SERVER)
    verdict = judge(Requirement.of(heartbeats_apart="8s"), line)

    assert verdict.violations
    assert not extract(line, verdict=verdict).ended
