"""What the ends of a ladder's connections mean: tables of fates."""

import dataclasses

import pytest

from pytest_wsstability.core.probe.command import probe_command
from pytest_wsstability.core.probe.findings import Policy, TimerKind, safe_interval, unsafe_interval
from pytest_wsstability.core.probe.inference import infer
from pytest_wsstability.core.probe.observation import Observation, RungFate
from pytest_wsstability.core.probe.rungs import MOST_CONNECTIONS, Rung, Traffic, waits
from pytest_wsstability.core.probe.rungs import ladder as rungs
from pytest_wsstability.core.probe.words import owners, report, sentence
from pytest_wsstability.core.timeline.events import Tier
from tests.core.ladder_script import ANSWERED, FIN, RUNGS, ladder, seen

SILENT = {"quiet": "60", "mute": "60"}
SLOW = {"slow_57": "alive", "slow_115": "60", "slow_230": "60"}
NO_PONGS = {"mute": "60", "text": "60", "heartbeat": "60", "ping": "60"}


def policy_of(findings):
    assert findings.doubts == ()
    return findings.idle.kind, round(findings.idle.seconds, 1), findings.idle.policy


@pytest.mark.parametrize(
    ("fates", "options", "kind", "policy"),
    [
        # A proxy: whatever the client says keeps it alive.
        ({**SILENT, **SLOW}, {}, TimerKind.IDLE, Policy.ANY),
        # A server that pings, and a timer that only the client's bytes reset.
        ({"mute": "60"}, {"pings": 25.0}, TimerKind.IDLE, Policy.CLIENT),
        # Only what the server answers keeps it alive.
        ({**SILENT, "text": "60", "pong": "60"}, {}, TimerKind.IDLE, Policy.SERVER),
        # The same where the server answers texts too: then only pongs fail.
        ({**SILENT, "pong": "60"}, {"answered": ("text", *ANSWERED)}, TimerKind.IDLE, Policy.SERVER),
        # Control frames do not count, though pings are answered.
        ({**SILENT, "ping": "60", "pong": "60"}, {}, TimerKind.IDLE, Policy.MESSAGES),
        # The deadline of the story, with pings of the server and without.
        ({**NO_PONGS}, {"pings": 25.0}, TimerKind.READ_DEADLINE, Policy.PONGS),
        ({**NO_PONGS, "quiet": "60"}, {}, TimerKind.READ_DEADLINE, Policy.PONGS),
        # A keepalive of a library: a pong must answer the server's own ping.
        ({**NO_PONGS, "pong": "60"}, {"pings": 25.0}, TimerKind.KEEPALIVE, Policy.OWN_PONG),
        ({**SILENT, "text": "60", "heartbeat": "60", "pong": "60"}, {}, TimerKind.IDLE, Policy.PINGS),
        ({**SILENT, "text": "60", "ping": "60", "pong": "60"}, {}, TimerKind.IDLE, Policy.HEARTBEATS),
        ({**SILENT, "text": "60", "pong": "60", "heartbeat": "60"},
         {"answered": ("ping", "all", "slow")}, TimerKind.IDLE, Policy.PINGS_OR_SERVER),
        ({**SILENT, "ping": "60"}, {}, TimerKind.IDLE, Policy.SOME),
    ],
)  # fmt: skip
def test_what_lives_and_what_dies_tells_the_policy(fates, options, kind, policy):
    """Pong-only or idle, either direction, messages only, or the keepalive of a library."""
    assert policy_of(infer(ladder(**fates, **options))) == (kind, 60.0, policy)


MUTE = {"mute": "45", "text": "45", "ping": "45", "pong": "45", "heartbeat": "alive"}


@pytest.mark.parametrize(
    ("fates", "asked", "found"),
    [
        # Engine.IO: asked at 25 s, ended 20 s later; tRPC, where any message counts.
        (MUTE, (25.0,), (TimerKind.KEEPALIVE, 20.0, Policy.OWN_ANSWER)),
        ({**MUTE, "text": "alive"}, (15.0, 30.0), (TimerKind.KEEPALIVE, 30.0, Policy.OWN_ANSWER)),
        # It asks on, or never did: its heartbeats end nobody.
        (MUTE, (10.0, 20.0, 30.0), (TimerKind.IDLE, 45.0, Policy.HEARTBEATS)),
        (MUTE, (), (TimerKind.IDLE, 45.0, Policy.HEARTBEATS)),
        # Any byte helps, and an answer is one.
        ({"mute": "45"}, (25.0,), (TimerKind.IDLE, 45.0, Policy.ANY)),
        # Answers do not help.
        ({**MUTE, "quiet": "45"}, (25.0,), (TimerKind.IDLE, 45.0, Policy.HEARTBEATS)),
    ],
)
def test_a_server_that_asks_in_messages_ends_who_does_not_answer(fates, asked, found):
    """Its keepalive has the length from its question to the end, and is no idle timeout."""
    observations = [dataclasses.replace(each, server_heartbeats=asked) for each in ladder(**fates)]
    findings = infer(observations)

    assert policy_of(findings) == found
    safe = "a client that answers the server's heartbeats is safe"
    assert (safe in sentence(findings)) is (found[2] is Policy.OWN_ANSWER)


@pytest.mark.parametrize(("age", "kind"), [("46.7", TimerKind.IDLE), ("46.9", TimerKind.KEEPALIVE)])
def test_who_answers_has_to_outlive_who_does_not(age, kind):
    """By more than two ends of one timer differ: 0.9 s at 45 s, twice."""
    observations = [
        dataclasses.replace(each, server_heartbeats=(25.0,)) for each in ladder(**MUTE, quiet=age)
    ]

    assert infer(observations).idle.kind is kind


def test_a_maximum_age_ends_what_says_everything():
    """Nothing helps, so nothing is advised, and no idle timer is made of it."""
    findings = infer(ladder("300"))

    assert [(t.kind, t.seconds, t.error) for t in findings.timers] == [(TimerKind.MAX_AGE, 300.0, 0.0)]
    assert (findings.idle, findings.resets, findings.advice, findings.doubts) == (None, {}, (), ())
    assert sentence(findings) == "maximum age 300 s, whatever the traffic"


def test_an_idle_timer_and_a_maximum_age_are_two_timers():
    """The silent ones end first; what talks lives on until the age."""
    findings = infer(ladder("300", **SILENT, slow_115="60", slow_230="60"))

    assert [(timer.kind, timer.seconds) for timer in findings.timers] == [
        (TimerKind.IDLE, 60.0), (TimerKind.MAX_AGE, 300.0),
    ]  # fmt: skip
    assert findings.idle.policy is Policy.ANY


def test_a_second_timer_behind_the_first_is_found():
    """A path of 55 s that any byte resets, and behind it a server of 60 s that only pongs do."""
    dead = {"text": "60", "heartbeat": "60", "ping": "60", "slow_57": "60", "slow_28": "60"}
    findings = infer(ladder(**{**dead, "quiet": "55", "mute": "55", "slow_115": "55", "slow_230": "55"}))

    assert [(timer.kind, timer.seconds, timer.policy) for timer in findings.timers] == [
        (TimerKind.IDLE, 55.0, Policy.ANY), (TimerKind.READ_DEADLINE, 60.0, Policy.PONGS),
    ]  # fmt: skip
    # What helps against both.
    assert [each.traffic for each in findings.advice] == [Traffic.PONG]
    assert findings.resets[Traffic.HEARTBEAT] is False


def test_a_server_that_looks_at_all_at_once_has_one_timer():
    """A loop every 30 s: who opened before it began to look dies a round earlier than who opened after."""
    rows = []
    for each in ladder(mute="45", text="75", heartbeat="75", ping="75", pings=30.0):
        dead = each.rung.traffic in (Traffic.TEXT, Traffic.HEARTBEAT, Traffic.PING) and not each.rung.slow
        # All of these at the same reading of the clock.
        rows.append(dataclasses.replace(each, age=1075.0 - each.opened_at) if dead and each.gone else each)
    findings = infer(rows)

    assert len(findings.timers) == 1
    assert findings.notes[0].startswith(
        "connections of different ages ended at one instant: the server looks at"
    )
    assert findings.idle.policy is Policy.PONGS


@pytest.mark.parametrize(("age", "is_age"), [("5.9", False), ("6", True)])
def test_whose_words_came_too_seldom_for_so_short_a_life_tells_no_maximum_age(age, is_age):
    """All kinds of traffic go out every 3 s: two of them make a connection that says everything."""
    findings = infer(ladder(age))

    assert (findings.max_age is not None) is is_age
    assert (findings.doubts == ()) is is_age


def test_a_look_that_ends_two_timers_is_noted_once():
    """The idle timer and the maximum age are both seen in ends at one instant: it is said once."""
    rows = [
        dataclasses.replace(each, age=end - each.opened_at)
        for each in ladder("300", mute="45", text="75", heartbeat="75", ping="75", pings=30.0)
        if (end := {45.0: 1045.0, 75.0: 1075.0, 300.0: 1300.0}[each.age])
    ]
    findings = infer(rows)

    assert [timer.kind for timer in findings.timers] == [TimerKind.READ_DEADLINE, TimerKind.MAX_AGE]
    assert findings.notes == (
        "connections of different ages ended at one instant: the server looks at all of them at once, so "
        "their ages depend on when they opened",
    )


def test_one_that_ends_later_is_no_second_timer():
    """It takes two to tell a timer from an accident."""
    findings = infer(ladder(**{**SILENT, **SLOW, "ping": "217"}))

    assert len(findings.timers) == 1
    assert findings.notes == (
        "ping every 3 s, no pongs ended alone, at 217 s: no close frame received or sent; FIN",
    )


def test_nothing_ended_is_a_finding_too():
    """As far as was waited, and no further."""
    findings = infer(ladder(pings=25.0))

    assert (findings.timers, findings.doubts, findings.server_ping_every) == ((), (), 25.0)
    assert sentence(findings) == "nothing ended a connection within 600 s"
    assert report(findings)[-1] == "  covered   600 s in real time"


@pytest.mark.parametrize(
    ("lived", "error"), [(("59.8", "60.2"), 0.2), (("60", "60"), 0.0), (("60", "61"), 0.5)]
)
def test_the_error_is_how_far_the_ends_lie_apart(lived, error):
    """Two silent ones measure the same timer."""
    quiet, mute = lived
    found = infer(ladder(quiet=quiet, mute=mute, **SLOW)).idle

    assert found.error == pytest.approx(error)
    assert found.seconds == pytest.approx((float(quiet) + float(mute)) / 2)


def test_the_timer_counts_from_the_last_byte():
    """The session's messages came a moment after the opening."""
    rows = [
        dataclasses.replace(each, last=0.4, last_received=0.4)
        if each.rung.traffic is Traffic.SILENCE
        else each
        for each in ladder(quiet="60.4", mute="60.4", **SLOW)
    ]

    assert infer(rows).idle.seconds == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("asked", "seconds", "error"),
    [
        # tRPC asks with a text of its own, 20 s after the opening, and ends who says nothing 10 s later.
        (20.0, 20.0, 10.0),
        # A greeting: 0.6 s is what two ends of 30 s may lie apart.
        (0.62, 29.69, 0.31),
        (0.58, 29.42, 0.29),
    ],
)
def test_what_came_last_may_have_set_the_timer_off_or_reset_nothing(asked, seconds, error):
    """Then it lies between both, and what is advised is what the shorter one bears."""
    dead = ("quiet", "mute", "ping", "pong", "slow_14", "slow_28", "slow_57", "slow_115", "slow_230")
    rows = [
        dataclasses.replace(each, last=max(each.last, asked), last_message=asked, last_received=asked)
        for each in ladder(**dict.fromkeys(dead, "30"))
    ]
    findings = infer(rows)

    assert findings.idle.policy is Policy.MESSAGES
    assert (findings.idle.seconds, findings.idle.error) == (pytest.approx(seconds), pytest.approx(error))
    assert findings.advice[0].safe == safe_interval(seconds - error)
    assert findings.advice[0].safe > 1


def test_a_keepalive_tells_when_the_first_ping_was_left_unanswered():
    """20 + 20 of a library: cut 20 s after the ping."""
    dead = dict.fromkeys(("mute", "text", "heartbeat", "ping", "pong"), "40")
    findings = infer(ladder(pings=20.0, **dead))

    assert findings.idle.after_ping == 20.0
    assert findings.idle.answering_helps
    assert sentence(findings) == (
        "server keepalive 40 s, reset by only the pong to the server's own ping; "
        "a client that answers the server's pings is safe"
    )
    assert "  pings     the server pings every 20 s; who answers none is cut 20 s after the first" in report(
        findings
    )


# Silent losses.


def test_what_is_lost_without_a_word_lies_between_two_silences():
    """The longest that a connection survived, and the shortest that it did not."""
    findings = infer(ladder(quiet="lost 600", mute="lost 600", slow_230="lost 230"))

    assert (findings.idle.silent, findings.idle.policy) == (True, Policy.ANY)
    assert (findings.idle.least, findings.idle.seconds + findings.idle.error) == (115, 230)
    assert sentence(findings).startswith(
        "idle timeout between 115 s and 230 s, reset by any byte that the client"
    )
    # What is safe is reckoned from the least that it can be.
    assert findings.advice[0].safe == 50


def test_further_waits_narrow_it_down():
    """Silences between the two, one connection each."""
    rows = ladder(quiet="lost 600", mute="lost 600", slow_230="lost 230")
    for rung in waits(115.0, 230.0, 4):
        fate = "lost 0" if rung.every > 160 else "alive"
        rows.append(dataclasses.replace(
            seen("slow 14", fate), rung=rung, gap=rung.every if rung.every > 160 else None
        ))  # fmt: skip
    found = infer(rows).idle

    assert (found.least, found.seconds + found.error) == (138, 161)
    assert "  connections (12, then 4)" in report(infer(rows))
    assert "    one silence each, then a ping: 138 s is survived, 161 s is not" in report(infer(rows))


def test_a_server_that_answers_no_pings_hides_silent_losses():
    """Then an unanswered ping says nothing."""
    rows = [dataclasses.replace(each, pongs=0) for each in ladder(quiet="lost 600", mute="lost 600")]

    assert infer(rows).doubts == (
        "the server answers no pings, so a connection lost without a word cannot be told",
    )


def test_what_heard_the_server_was_lost_after_no_known_silence():
    """A ping of the server came in between, so that the silence before the loss has no length."""
    rows = [
        dataclasses.replace(each, server_pings=1) if each.rung.traffic is Traffic.SILENCE else each
        for each in ladder(quiet="lost 600", mute="lost 600")
    ]
    findings = infer(rows)

    assert (findings.timers, findings.advice) == ((), ())
    assert sentence(findings) == (
        "inconclusive: silent connections were lost without a word, "
        "after a silence whose length cannot be told"
    )
    # Who lives is known all the same.
    assert set(findings.resets.values()) == {True}


# Doubts.


def test_connections_that_end_together_are_a_restart():
    """At one instant, and at as many ages as there are connections."""
    rows = [dataclasses.replace(each, age=300 - 0.25 * number) for number, each in enumerate(ladder("300"))]
    findings = infer(rows)

    assert findings.doubts == ("connections of different ages ended together: a restart, and no timer",)
    assert findings.timers == ()
    assert sentence(findings).startswith("inconclusive: connections of different ages")


def test_the_busiest_that_ends_alone_proves_no_age():
    """Something happened to it, and its peers live on."""
    findings = infer(ladder(all="217"))

    assert findings.timers == ()
    assert findings.doubts == ("all every 3 s ended alone, at 217 s: no close frame received or sent; FIN",)


def test_a_connection_that_ends_alone_is_told():
    """It does not change what the others say."""
    findings = infer(ladder(ping="217"))

    assert (findings.timers, findings.doubts) == ((), ())
    assert findings.notes == (
        "ping every 3 s, no pongs ended alone, at 217 s: no close frame received or sent; FIN",
    )


def test_a_refused_text_is_no_timer():
    """The server closed at once what it does not understand; the rest of the matrix stands."""
    rows = ladder(**SILENT, **SLOW)
    rows = [
        dataclasses.replace(each, age=3.1, code=1003, detail="received 1003", fate=seen("text", "3.1").fate)
        if each.rung.traffic is Traffic.TEXT else each
        for each in rows
    ]  # fmt: skip
    findings = infer(rows)

    assert findings.notes == ("the server refuses text: received 1003",)
    assert Traffic.TEXT not in findings.resets
    assert findings.idle.policy is Policy.ANY


def test_traffic_as_rare_as_the_timer_tells_nothing():
    """It would not have come in time either way."""
    dead = dict.fromkeys(("quiet", "mute", "text", "heartbeat", "ping", "pong"), "4")
    findings = infer(ladder(**dead))

    assert set(findings.resets.values()) == {None}
    assert findings.doubts == (
        "silence ends after 4 s, and no busy connection tells what prevents it: send more often (--every)",
    )


@pytest.mark.parametrize("age", ["0.2", "1"])
def test_a_server_that_turns_everybody_away_has_no_timer(age):
    """Nothing that is sent more often would help."""
    findings = infer([dataclasses.replace(each, detail="received 1008") for each in ladder(age)])

    assert (findings.timers, findings.resets) == ((), {})
    assert findings.doubts == (
        "the server ends each connection at once, before it has said a word: received 1008",
    )


OFTEN = Rung(traffic=Traffic.TEXT, every=0.1)


@pytest.mark.parametrize(
    "rows",
    [
        ladder("1.1"),
        ladder("0.2", all="alive"),
        ladder("0.2", slow_230="lost 1"),
        [dataclasses.replace(each, rung=OFTEN) if each.rung.every else each for each in ladder("0.2")],
    ],
    ids=["later", "one lives", "one is lost", "words were said"],
)
def test_a_timer_turns_nobody_away(rows):
    """It leaves time to say something, or spares somebody."""
    assert not [doubt for doubt in infer(rows).doubts if "at once" in doubt]


def test_a_loop_that_stood_still_measured_nothing():
    """The times are our own."""
    rows = [dataclasses.replace(each, lag=3.5) for each in ladder(**SILENT, **SLOW)]

    assert infer(rows).doubts == (
        "our own event loop stood still for 3.5 s, so the times are not the server's",
    )


def test_a_connection_that_did_not_open_has_no_life():
    """It stands among the others with the reason, and neither as alive nor as ended."""
    assert "    text every 3 s, no pongs       did not open: upgrade refused: HTTP 429" in report(
        infer(ladder(text="not opened"))
    )


@pytest.mark.parametrize(("missing", "doubts"), [("text", 0), ("slow_14", 0), ("mute", 1), ("all", 1)])
def test_what_did_not_open_is_told(missing, doubts):
    """A limit on connections: with enough of them the findings stand."""
    findings = infer(ladder(**{**SILENT, **SLOW, missing: "not opened"}))

    assert findings.notes[0] == "1 of 12 connections did not open: upgrade refused: HTTP 429"
    assert len(findings.doubts) == doubts


# The ladder, and words.


@pytest.mark.parametrize("seconds", [5.0, 60.0, 600.0, 14_400.0])
@pytest.mark.parametrize("heartbeats", [True, False])
def test_a_ladder_is_polite(seconds, heartbeats):
    """Twelve connections, none of which talks more than twenty times a second."""
    found = rungs(seconds, heartbeats=heartbeats)

    assert len(found) == MOST_CONNECTIONS
    assert len(set(found)) == MOST_CONNECTIONS
    assert min(rung.every for rung in found if rung.every) >= 0.05
    # Each slow one has time for a silence and for the answer.
    assert max(rung.every for rung in found if rung.every) < 0.8 * seconds
    assert [rung.traffic for rung in found if not rung.slow].count(Traffic.HEARTBEAT) == heartbeats


def test_slow_pings_lie_below_the_round_numbers():
    """A ping every 60 s against a timer of 60 s would be a race."""
    assert [rung.every for rung in rungs(600.0) if rung.slow] == [460, 230, 115, 57, 28]


def test_the_story_in_one_sentence():
    """The timer, what resets it, what is safe and what is not."""
    findings = infer(ladder(**SILENT, **SLOW))

    assert sentence(findings) == (
        "idle timeout 60 s, reset by any byte that the client sends; "
        "a heartbeat or a ping frame every 25 s leaves a margin (untried), every 55 s leaves none"
    )


def test_some_traffic_is_named():
    """Where no policy is known by a name, both what resets the timer and what does not."""
    assert sentence(infer(ladder(**{**SILENT, "ping": "60"}))) == (
        "idle timeout 60 s, reset by text, heartbeat, pong and not by ping; "
        "a heartbeat or an unsolicited pong every 25 s leaves a margin (untried), every 55 s leaves none"
    )


@pytest.mark.parametrize(
    ("rung", "name"),
    [
        (Rung(traffic=Traffic.SILENCE, answers=True), "silence"),
        (Rung(traffic=Traffic.SILENCE), "silence, no pongs"),
        (Rung(traffic=Traffic.PING, every=2.5), "ping every 2.5 s, no pongs"),
        (Rung(traffic=Traffic.ALL, every=3.0, answers=True, again=True), "again: all every 3 s"),
        # One silence, and then a ping: nothing comes every so often.
        (waits(115.0, 230.0, 1)[0], "ping after 172.5 s"),
    ],
)
def test_a_connection_is_named_by_what_it_says(rung, name):
    """What it sends, how often, and whether it answers pings."""
    assert rung.name == name


def test_a_report_says_everything_once():
    """What fits is a hypothesis: the number names nobody."""
    lines = report(infer(ladder(**SILENT, **SLOW), tier=Tier.VIRTUAL))

    assert [line.split()[0] for line in lines if not line.startswith("    ")] == [
        "found", "fits", "resets", "send", "pings", "connections", "covered",
    ]  # fmt: skip
    (fits,) = (line for line in lines if line.startswith("  fits "))
    assert fits.startswith("  fits      nginx, ingress-nginx (Kubernetes), ")
    assert fits.endswith(" (by the number alone, 60 s)")
    assert "  resets    text yes · heartbeat yes · ping yes · pong yes" in lines
    assert "    silence, no pongs              ended at 60 s: no close frame received or sent; FIN" in lines
    assert sum(line.startswith("    ") for line in lines) == 12


def test_findings_are_builtin_values():
    """For JSON."""
    told = infer(ladder(**SILENT, **SLOW)).as_dict()

    assert told["timers"][0] == {
        "kind": "idle timeout", "seconds": 60.0, "error": 0.0, "silent": False, "told_late": 0.0,
        "after_ping": None,
        "reset_by": "any byte that the client sends", "answering_helps": False,
    }  # fmt: skip
    assert told["resets"] == {"text": True, "heartbeat": True, "ping": True, "pong": True}
    assert told["advice"][0] == {
        "traffic": "heartbeat", "safe_every": 25.0, "unsafe_every": 55.0, "survived": None,
    }  # fmt: skip
    assert len(told["connections"]) == 12


@pytest.mark.parametrize(
    ("rows", "named", "not_named"),
    [
        (ladder(**SILENT, **SLOW), ["nginx"], ["gorilla", "Envoy"]),
        (ladder(quiet="60", **NO_PONGS), ["gorilla"], ["nginx"]),
        (ladder("300"), ["Cloud Run"], ["Azure Front Door", "Envoy"]),
        (ladder(**SILENT, text="60", pong="60"), [], ["nginx", "CloudFront"]),
        # By the time from the unanswered ping.
        (ladder(pings=20.0, **dict.fromkeys(("mute", "text", "heartbeat", "ping", "pong"), "40")),
         ["websockets or uvicorn", "Engine.IO"], ["node ws"]),
        (ladder(quiet="lost 600", mute="lost 600", slow_230="lost 230"), [], ["Azure"]),
        (ladder(quiet="lost 600", mute="lost 600"), ["Azure", "AWS NLB"], ["Google Cloud NAT"]),
        (ladder(quiet="47", mute="47"), [], ["nginx"]),
    ],
)  # fmt: skip
def test_owners_are_those_of_the_right_kind_of_timer(rows, named, not_named):
    """60 s that only pongs reset are not nginx's, and an age of 300 s is no idle timeout."""
    findings = infer(rows)
    names = owners(findings.timers[0], findings.tier)

    assert all(name in names for name in named)
    assert not any(name in names for name in not_named)
    assert bool(names) is bool(named)


@pytest.mark.parametrize(
    ("url", "seconds", "command"),
    [
        ("ws://a.example/ws", 45.2, "wsstability probe ws://a.example/ws --max 46s"),
        ("ws://a.example/ws", 151.0, "wsstability probe ws://a.example/ws --max 3m"),
        ("wss://a.example/ws?room=1", 600.0, "wsstability probe 'wss://a.example/ws?room=1' --max 10m"),
    ],
)
def test_the_command_can_be_pasted(url, seconds, command):
    """Quoted for a shell; rounded up, so that the timer is covered."""
    assert probe_command(url, seconds) == command


@pytest.mark.parametrize(
    ("timer", "safe", "unsafe"),
    [(60, 25, 55), (55, 20, 50), (100, 45, 90), (300, 135, 270), (10, 4.5, 9), (3, 1.35, 2.7),
     (3600, 1620, 3240),
     (0.1, 0.045, 0.09)],
)  # fmt: skip
def test_intervals_are_round(timer, safe, unsafe):
    """Two fit into the timer with time to spare; nine tenths of it are a race."""
    assert (safe_interval(timer), unsafe_interval(timer)) == (safe, unsafe)


def trial(kind, every, fate, **more):
    """A connection that sent what is to be safe."""
    rung = Rung(traffic=kind, every=every, trial=True)
    age = float(fate.rpartition(" ")[2])
    what = RungFate.ALIVE if fate.startswith("alive") else RungFate.ENDED
    return Observation(rung=rung, fate=what, age=age, detail="" if what is RungFate.ALIVE else FIN, **more)


@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        ("alive 120", [(Traffic.HEARTBEAT, 25.0, 120.0)]),
        # Not for twice the timer: it stays untried.
        ("alive 119", [(Traffic.HEARTBEAT, 25.0, None)]),
        # It died all the same: it is advised no more.
        ("ended 85", []),
    ],
)
def test_what_is_called_safe_was_survived_for_twice_the_timer(fate, expected):
    """What died is told, and what was not tried for long enough is called untried."""
    findings = infer([*ladder(**SILENT, **SLOW), trial(Traffic.HEARTBEAT, 25.0, fate)])
    found = [(a.traffic, a.safe, a.survived) for a in findings.advice if a.traffic is Traffic.HEARTBEAT]

    assert found == expected
    words = sentence(findings)
    assert ("is safe (120 s survived)" in words) is (fate == "alive 120")
    assert any("did not keep it alive" in note for note in findings.notes) is (fate == "ended 85")


def test_a_trial_that_died_makes_room_for_a_shorter_one():
    """What lived is what is safe."""
    trials = [trial(Traffic.HEARTBEAT, 25.0, "ended 85"), trial(Traffic.HEARTBEAT, 12.5, "alive 130")]
    findings = infer([*ladder(**SILENT, **SLOW), *trials])

    assert (findings.advice[0].safe, findings.advice[0].survived) == (12.5, 130.0)


def test_a_trial_that_ended_at_the_maximum_age_is_no_failure():
    """Nothing keeps a connection beyond that."""
    trials = [trial(Traffic.HEARTBEAT, 25.0, "ended 150")]
    findings = infer([*ladder("150", **SILENT, slow_115="60", slow_230="60"), *trials])

    assert findings.max_age is not None
    assert findings.advice[0].survived == 150.0


def test_the_error_of_a_server_that_looks_now_and_then_is_its_tick():
    """All had run out at a look, and not one look before."""
    names = list(RUNGS)
    all_seen = [
        # Looks at 1004 s, 1008 s, 1012 s ...: a limit of 6 s.
        seen(name, str(end - opened), opened_at=1000 + opened)
        for number, name in enumerate(names)
        if (opened := 0.25 * number) is not None and (end := 8 if opened <= 2 else 12)
    ]
    age = infer(all_seen).max_age

    assert age is not None
    assert age.least < 6 <= age.seconds + age.error
    assert age.error == pytest.approx(2.0)


def test_a_proxy_that_looks_every_second_ends_all_silent_ones_in_steps():
    """Lighttpd, with a limit of 4 s: who has not pinged yet was silent too, and shows the steps."""
    ages = {"quiet": "4.08", "mute": "4.83", "slow_14": "4.33", "slow_28": "4.08", "slow_57": "4.83"}
    idle = infer(ladder(**ages, slow_115="4.58", slow_230="4.33")).idle

    assert (idle.policy, round(idle.seconds, 2), round(idle.error, 2)) == (Policy.ANY, 3.58, 0.5)


@pytest.mark.parametrize(("age", "error"), [("14.1", 0.0), ("13.9", 0.1)])
def test_who_pinged_before_its_end_was_not_silent(age, error):
    """The slow one that pings every 14 s, beside those that a timer of 13.7 s ended."""
    idle = infer(ladder(quiet="13.7", mute="13.7", slow_14=age)).idle

    assert idle.error == pytest.approx(error)


def test_the_error_of_an_age_that_came_twice_is_at_least_how_far_it_lies_apart():
    """Those that were opened again met the server's clock elsewhere: ages of 300 s to 303 s are one look."""
    again = [
        dataclasses.replace(
            seen(name, age, opened_at=2000.0 + number), rung=dataclasses.replace(RUNGS[name], again=True)
        )
        for number, (name, age) in enumerate([("quiet", "301"), ("all", "302"), ("all", "303")])
    ]
    age = infer([*ladder("300"), *again]).max_age

    # At 300 s it had run out, and at 297 s it had not.
    assert (age.seconds, age.error) == (298.5, 1.5)
