"""Fault programs: order, validation, replay."""

import json
import re

import pytest

from pytest_wsstability import faults
from pytest_wsstability.faults import (
    AcceptThenClose,
    AppliedFault,
    Blackhole,
    CloseWith,
    CutAt,
    Drop,
    DropControlFrames,
    DuplicateConfirm,
    HalfClose,
    Heal,
    IgnoreClose,
    Latency,
    MaxAge,
    NeverConfirm,
    Program,
    RefuseUpgrade,
    Reset,
    Stall,
    Step,
    WithholdPongs,
)


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ([], []),
        (Drop(), [(0.0, Drop())]),
        ([Latency("80ms"), ("5s", Drop())], [(0.0, Latency(0.08)), (5.0, Drop())]),
        ([("5s", Drop()), Latency("80ms")], [(0.0, Latency(0.08)), (5.0, Drop())]),
        ([("500ms", Blackhole()), [2, Heal()]], [(0.5, Blackhole()), (2.0, Heal())]),
        # At one instant, the order given is kept.
        ([(1, Stall(2)), (1, Latency(1))], [(1.0, Stall(2)), (1.0, Latency(1))]),
        ([Step(1.0, Drop())], [(1.0, Drop())]),
    ],
)
def test_program_is_sorted_by_time(written, steps):
    """Bare faults are due at once; the rest when it is said."""
    assert [(step.when, step.fault) for step in Program.of(written)] == steps


@pytest.mark.parametrize(
    "program",
    [
        Program(),
        Program.of([Latency("80ms", jitter="10ms"), ("5s", Drop())], seed=7, connections=2),
        Program.of([("1s", Blackhole("upstream")), ("2s", Heal()), ("30s", CloseWith(1001, "bye"))]),
        Program.of([(3, CutAt(20)), DropControlFrames({"ping"}), ("1s", HalfClose("downstream"))]),
    ],
    ids=repr,
)
def test_program_can_be_replayed(program):
    """Both what is printed and what is sent make the same program again."""
    assert eval(repr(program), {"faults": faults}) == program
    assert Program.from_dict(json.loads(json.dumps(program.as_dict()))) == program
    assert Program.of(program) is program


def test_program_has_two_halves():
    """The link carries out one, the server the other; both with the same seed."""
    program = Program.of([WithholdPongs(), ("1s", Drop()), ("1s", Latency(0))][:2], seed=5, connections=1)

    assert [step.fault for step in program.link] == [Drop()]
    assert [step.fault for step in program.peer] == [WithholdPongs()]
    assert (program.link.seed, program.peer.connections) == (5, 1)


@pytest.mark.parametrize(
    ("connections", "reached"),
    [(None, [True, True, True]), (1, [True, False, False]), (2, [True, True, False])],
)
def test_program_is_for_the_first_connections(connections, reached):
    """A reconnect after a fault can be a healthy one."""
    program = Program.of([Drop()], connections=connections)

    assert [program.applies_to(number) for number in range(3)] == reached
    assert not Program().applies_to(0)


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("drop", "faults: 'drop' is no fault; give a fault such as faults.Drop(), or a pair such as "),
        (["drop"], "faults[0]: 'drop' is no fault; give a fault such as faults.Drop(), or a pair such as "),
        ([Drop], "faults[0]: faults.Drop is a class; give one of it, such as faults.Drop()"),
        (
            [("5s", Stall)],
            "faults[0]: faults.Stall is a class; give one of it, such as faults.Stall(seconds)",
        ),
        ([Latency(1), ("5s", None)], "faults[1]: None is no fault; "),
        ([("5s",)], "faults[0]: ('5s',) is no pair of a time and a fault; "),
        ([(Drop(), "5s")], "faults[0]: (faults.Drop(), '5s') is no pair of a time and a fault; "),
        (5, "faults: 5 is no fault; "),
        ({"drop": 1}, "faults: {'drop': 1} is no fault; "),
    ],
)
def test_what_is_no_fault_is_refused(written, error):
    """The error says where and what it was, and what would do."""
    with pytest.raises(TypeError, match=f"^{re.escape(error)}"):
        Program.of(written)


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ([("-5s", Drop())], "faults[0]: '-5s' is not a duration; "),
        ([(-5, Drop())], "faults[0]: -5 is negative or not finite; "),
        ([("soon", Drop())], "faults[0]: 'soon' is not a duration; "),
        (
            [("5s", Drop()), ("6s", Latency(1))],
            "faults: faults.Latency(delay=1.0, jitter=0.0) at 6 s: faults.Drop() has ended the connection at",
        ),
        ([Reset(), Drop()], "faults: faults.Drop() at 0 s: faults.Reset() has ended the connection at 0 s"),
        (
            [Blackhole(), (1, Heal()), (2, Drop()), (3, Latency(1))],
            "faults: faults.Latency(delay=1.0, jitter=0.0) at 3 s: faults.Drop() has ended the connection at",
        ),
        (
            [(1, Drop()), (1, Blackhole()), (2, Heal())],
            "faults: faults.Blackhole(direction='both') at 1 s: faults.Drop() has ended the connection at ",
        ),
        (
            [CutAt(5), ("5s", Stall(1))],
            "faults: faults.Stall(seconds=1.0) at 5 s: faults.CutAt(at=5.0) has ended the connection at 5 s",
        ),
        ([("5s", CutAt(5))], "faults: faults.CutAt(at=5.0) at 5 s: the connection is older than 5 s by then"),
        (
            [("9s", MaxAge(5))],
            "faults: faults.MaxAge(seconds=5.0, ends_with='fin') at 9 s: the connection is ",
        ),
        ([MaxAge(5), ("9s", Drop())], "faults: faults.Drop() at 9 s: faults.MaxAge("),
        ([Heal()], "faults: faults.Heal() at 0 s: nothing is broken then that could be healed"),
        ([Blackhole(), (1, Heal()), (2, Heal())], "faults: faults.Heal() at 2 s: nothing is broken then "),
        (
            [Blackhole(), (1, Blackhole("upstream"))],
            "faults: faults.Blackhole(direction='upstream') at 1 s: nothing passes since "
            "faults.Blackhole(direction='both') at 0 s in any case",
        ),
        ([Blackhole(), (1, Stall(2))], "faults: faults.Stall(seconds=2.0) at 1 s: nothing passes since "),
        (
            [Latency(1), Latency(2)],
            "faults: faults.Latency(delay=2.0, jitter=0.0) at 0 s: faults.Latency(delay=1.0, jitter=0.0) "
            "is applied at the same instant; give one of them",
        ),
        ([(1, HalfClose("upstream")), (1, HalfClose("upstream"))], "faults: faults.HalfClose("),
        (
            [("5s", RefuseUpgrade())],
            "faults: faults.RefuseUpgrade(status=503, retry_after=None) at 5 s: this can ",
        ),
        (
            [RefuseUpgrade(), (1, WithholdPongs())],
            "faults: faults.WithholdPongs() at 1 s: faults.RefuseUpgrade(status=503, retry_after=None) ",
        ),
        (
            [NeverConfirm(), AcceptThenClose()],
            "faults: faults.NeverConfirm() at 0 s: faults.AcceptThenClose(",
        ),
        (
            [NeverConfirm(), DuplicateConfirm()],
            "faults: faults.DuplicateConfirm() at 0 s: faults.NeverConfirm() ",
        ),
        (
            [WithholdPongs(), (3, WithholdPongs())],
            "faults: faults.WithholdPongs() at 3 s: it lasts since 0 s",
        ),
        (
            [(1, CloseWith(1000)), (2, CloseWith(1001))],
            "faults: faults.CloseWith(code=1001, reason='') at 2 s: ",
        ),
    ],
)
def test_contradictions_are_refused(written, error):
    """The error names the fault, its time, and what it contradicts."""
    with pytest.raises(ValueError, match=f"^{re.escape(error)}"):
        Program.of(written)


@pytest.mark.parametrize(
    "written",
    [
        # An end behind a black hole arrives when it is healed.
        [Blackhole(), (1, Drop()), (2, Heal())],
        # ... be it given for the instant of the end, but before it.
        [(1, Blackhole()), (1, Drop()), (2, Heal())],
        [(1, Blackhole()), CutAt(2), (3, Heal())],
        [(1, Stall(5)), (2, Drop()), (3, Latency(1))],
        [Blackhole("upstream"), (1, Blackhole("downstream"))],
        [Latency(1), (1, Latency(2)), (2, Heal()), (3, Latency(1))],
        # A close frame of the server may be lost on the way.
        [(1, CloseWith(1001)), (1, Blackhole("downstream"))],
        [(1, Stall(2)), (2, Drop()), (5, Heal())][:2],
        [DropControlFrames("ping"), DropControlFrames("pong")],
        [IgnoreClose(), (1, CloseWith(1000))],
        [(1, HalfClose("upstream")), (1, HalfClose("downstream"))],
        # What says nothing at its end leaves a connection that can be broken otherwise.
        [MaxAge(5, ends_with="silence"), (9, Drop())],
    ],
    ids=repr,
)
def test_what_belongs_together_is_taken(written):
    """Faults that make sense together are no contradiction."""
    assert len(Program.of(written)) == len(written)


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"seed": "x"}, TypeError, "seed: 'x' is no whole number"),
        ({"seed": True}, TypeError, "seed: True is no whole number"),
        ({"connections": 0}, ValueError, "connections: 0 is not a number of connections; give 1 or more"),
        ({"connections": "all"}, ValueError, "connections: 'all' is not a number of connections; "),
    ],
)
def test_wrong_keywords_are_refused(keywords, error, message):
    """Seed and connections are whole numbers."""
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        Program.of([Drop()], **keywords)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (
            {"steps": [{"fault": "dropp"}]},
            ValueError,
            "faults[0]: unknown fault 'dropp' (did you mean 'drop'?); ",
        ),
        ({"steps": [{"fault": 5}]}, ValueError, "faults[0]: unknown fault 5; valid ones: drop, reset, "),
        ({"steps": [{"when": 5}]}, TypeError, "faults[0]: {'when': 5} is no step; "),
        ({"steps": ["drop"]}, TypeError, "faults[0]: 'drop' is no step; "),
        ({"steps": "drop"}, TypeError, 'faults: a program in JSON is an object with "steps", a list'[:40]),
        ([], TypeError, 'faults: a program in JSON is an object with "steps", a list'),
        ({"faults": []}, ValueError, "faults: unknown key 'faults'; valid ones: seed, connections, steps"),
        (
            {"steps": [{"fault": "stall", "second": 5}]},
            ValueError,
            "faults[0]: stall: unknown parameter 'second'; valid ones: seconds",
        ),
        (
            {"steps": [{"fault": "drop", "at": 5}]},
            ValueError,
            "faults[0]: drop: unknown parameter 'at'; it takes",
        ),
        ({"steps": [{"fault": "stall"}]}, ValueError, "faults[0]: stall: needs seconds; got nothing"),
        # Its jitter has a default.
        (
            {"steps": [{"fault": "latency", "jitter": 1}]},
            ValueError,
            "faults[0]: latency: needs delay; got jitter",
        ),
        (
            {"steps": [{"fault": "stall", "seconds": -1}]},
            ValueError,
            "faults[0]: Stall.seconds: -1 is negative",
        ),
    ],
)
def test_wrong_json_is_refused(data, error, message):
    """The error says which step and what is wrong with it."""
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        Program.from_dict(data)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            [("20s", Drop())],
            "faults: faults.Drop() at 20 s would never be applied, because the hold ends after 10 s",
        ),
        ([CutAt(10)], "faults: faults.CutAt(at=10.0) at 10 s would never be applied, because the hold ends "),
    ],
)
def test_program_longer_than_the_hold_is_refused(written, message):
    """A fault that is never applied would prove nothing."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        Program.of(written).check_within(10.0)
    Program.of(written).check_within(20.001)


@pytest.mark.parametrize(
    ("written", "end"),
    [
        ([], 0.0),
        ([("5s", Latency("80ms")), ("10s", Drop())], 10.0),
        # What a fault waits for, or goes on for, comes on top; where the age is named, that is the end.
        ([("30s", Stall("2s"))], 32.0),
        ([MaxAge("10m")], 600.0),
        ([CutAt("45s")], 45.0),
        ([("5s", CutAt("45s"))], 45.0),
    ],
)
def test_until_which_age_faults_are_applied(written, end):
    assert Program.of(written).end == end


@pytest.mark.parametrize(
    ("at", "lateness", "told"),
    [(30.0, 0.0, "on connection 0"), (30.0 + 1e-12, 0.0, "on connection 0"), (30.25, 0.25, ", 250 ms late")],
)
def test_how_late_a_fault_was_applied(at, lateness, told):
    """What is left of a difference of two readings of a clock is no time."""
    applied = AppliedFault(Drop(), connection=0, planned=30.0, at=at)

    assert applied.lateness == lateness
    assert str(applied).endswith(told)
