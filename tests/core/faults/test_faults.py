"""Faults as values: what they take, what they refuse, how they print and travel."""

import json
import re

import pytest
from hypothesis.vendor.pretty import pretty

from pytest_wsstability import faults
from pytest_wsstability.core.faults.catalogue import fault_of

VALID_CODES = "1000-1003, 1007-1014 and 3000-4999"

# One of each, with what its constructor gets, how it prints, and what it is in JSON beside its name.
ONE_OF_EACH = [
    (faults.Drop(), "faults.Drop()", {}),
    (faults.Reset(), "faults.Reset()", {}),
    (faults.Blackhole(), "faults.Blackhole(direction='both')", {"direction": "both"}),
    (
        faults.Blackhole("upstream"),
        "faults.Blackhole(direction='upstream')",
        {"direction": "upstream"},
    ),
    (faults.Heal(), "faults.Heal()", {}),
    (faults.Stall("1.5s"), "faults.Stall(seconds=1.5)", {"seconds": 1.5}),
    (
        faults.Latency("80ms", jitter="10ms"),
        "faults.Latency(delay=0.08, jitter=0.01)",
        {"delay": 0.08, "jitter": 0.01},
    ),
    (
        faults.Bandwidth(2000),
        "faults.Bandwidth(bytes_per_second=2000.0)",
        {"bytes_per_second": 2000.0},
    ),
    (
        faults.CutAfter(3, direction="downstream"),
        "faults.CutAfter(bytes=3, direction='downstream')",
        {"bytes": 3, "direction": "downstream"},
    ),
    (faults.CutAt("2m"), "faults.CutAt(at=120.0)", {"at": 120.0}),
    (
        faults.HalfClose("upstream"),
        "faults.HalfClose(direction='upstream')",
        {"direction": "upstream"},
    ),
    (
        faults.Slicer(1, delay="5ms"),
        "faults.Slicer(size=1, delay=0.005)",
        {"size": 1, "delay": 0.005},
    ),
    (
        faults.DropControlFrames({"pong", "close"}),
        "faults.DropControlFrames(kinds=['close', 'pong'], direction='both')",
        {"kinds": ["close", "pong"], "direction": "both"},
    ),
    (
        faults.IdleTimeout("60s", reset_by="each", ends_with="silence"),
        "faults.IdleTimeout(seconds=60.0, reset_by='each', ends_with='silence')",
        {"seconds": 60.0, "reset_by": "each", "ends_with": "silence"},
    ),
    (
        faults.MaxAge("2h", ends_with="reset"),
        "faults.MaxAge(seconds=7200.0, ends_with='reset')",
        {"seconds": 7200.0, "ends_with": "reset"},
    ),
    (faults.WithholdPongs(), "faults.WithholdPongs()", {}),
    (faults.WithholdHeartbeats(), "faults.WithholdHeartbeats()", {}),
    (faults.NeverConfirm(), "faults.NeverConfirm()", {}),
    (faults.LateConfirm("3s"), "faults.LateConfirm(delay=3.0)", {"delay": 3.0}),
    (faults.WrongSession(), "faults.WrongSession()", {}),
    (faults.DuplicateConfirm(), "faults.DuplicateConfirm()", {}),
    (
        faults.CloseWith(4401, "token expired"),
        "faults.CloseWith(code=4401, reason='token expired')",
        {"code": 4401, "reason": "token expired"},
    ),
    (faults.EmptyClose(), "faults.EmptyClose()", {}),
    (faults.InvalidCloseCode(999), "faults.InvalidCloseCode(code=999)", {"code": 999}),
    (faults.IgnoreClose(), "faults.IgnoreClose()", {}),
    (faults.HandlerError(), "faults.HandlerError()", {}),
    (faults.Oversize(2**21), "faults.Oversize(bytes=2097152)", {"bytes": 2097152}),
    (faults.Malformed("long_ping"), "faults.Malformed(kind='long_ping')", {"kind": "long_ping"}),
    (faults.BadUtf8(), "faults.BadUtf8()", {}),
    (faults.MaskedFrame(), "faults.MaskedFrame()", {}),
    (faults.StopReading(), "faults.StopReading()", {}),
    (faults.FreezeLoop(4), "faults.FreezeLoop(seconds=4.0)", {"seconds": 4.0}),
    (
        faults.Flood(500, size=10, seconds="2s"),
        "faults.Flood(messages_per_second=500.0, size=10, seconds=2.0)",
        {"messages_per_second": 500.0, "size": 10, "seconds": 2.0},
    ),
    (
        faults.RefuseUpgrade(429, retry_after="2m"),
        "faults.RefuseUpgrade(status=429, retry_after=120.0)",
        {"status": 429, "retry_after": 120.0},
    ),
    (faults.RefuseUpgrade(), "faults.RefuseUpgrade(status=503, retry_after=None)", None),
    (faults.AcceptThenClose(1008), "faults.AcceptThenClose(code=1008)", {"code": 1008}),
    (faults.Restart("5s"), "faults.Restart(down_for=5.0)", {"down_for": 5.0}),
    (faults.LateHeartbeats("3s"), "faults.LateHeartbeats(delay=3.0)", {"delay": 3.0}),
    (faults.LateAnswers("3s"), "faults.LateAnswers(delay=3.0)", {"delay": 3.0}),
    (faults.WrongIds(), "faults.WrongIds()", {}),
    (faults.DuplicateAnswers(), "faults.DuplicateAnswers()", {}),
    (faults.RefuseSession(), "faults.RefuseSession()", {}),
    (faults.RefuseResume(), "faults.RefuseResume()", {}),
    (faults.SendNotice(), "faults.SendNotice()", {}),
    (faults.SendError(), "faults.SendError()", {}),
]


def test_the_table_has_one_of_each():
    """No fault is left out of the table above."""
    assert {type(fault) for fault, _, _ in ONE_OF_EACH} == set(faults.FAULTS.values())


@pytest.mark.parametrize(("fault", "printed", "values"), ONE_OF_EACH, ids=lambda value: str(value)[:40])
def test_fault_prints_as_it_is_made(fault, printed, values):
    """What is printed can be pasted back, and gives an equal fault."""
    assert repr(fault) == printed
    assert eval(printed, {"faults": faults}) == fault
    assert {fault: 1}[eval(printed, {"faults": faults})] == 1


@pytest.mark.parametrize("fault", [faults.Stall("1.5s"), faults.DropControlFrames({"pong"})], ids=repr)
def test_hypothesis_prints_a_fault_as_it_is_made(fault):
    """Its printer would write the fields without the place where the class is."""
    assert pretty(fault) == repr(fault)
    assert pretty([fault]) == f"[{fault!r}]"


@pytest.mark.parametrize(("fault", "printed", "values"), ONE_OF_EACH, ids=lambda value: str(value)[:40])
def test_fault_travels_as_json(fault, printed, values):
    """Builtin values only, and the same fault on the other side."""
    data = fault.as_dict()

    if values is not None:
        assert data == {"fault": fault.name, **values}
    values = json.loads(json.dumps(data))
    assert fault_of(values.pop("fault"), values) == fault


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: faults.Blackhole("up"), "Blackhole.direction: 'up' is unknown; valid ones: "),
        (lambda: faults.Stall(-1), "Stall.seconds: -1 is negative or not finite; "),
        (lambda: faults.Stall(0), "Stall.seconds: must be longer than 0, not 0; "),
        (lambda: faults.Latency("80 mins"), "Latency.delay: '80 mins' is not a duration; "),
        (lambda: faults.Latency("10ms", jitter="20ms"), "Latency.jitter: 0.02 s is more than the delay "),
        (lambda: faults.Bandwidth(0), "Bandwidth.bytes_per_second: 0 is not a number of bytes above 0"),
        (
            lambda: faults.Bandwidth(10**400),
            f"Bandwidth.bytes_per_second: {10**400} is not a number of bytes above 0",
        ),
        (lambda: faults.Bandwidth("1k"), "Bandwidth.bytes_per_second: '1k' is not a number of bytes above 0"),
        (lambda: faults.Bandwidth(True), "Bandwidth.bytes_per_second: True is not a number of bytes above 0"),
        (
            lambda: faults.CutAfter(-1),
            "CutAfter.bytes: -1 is not a number of bytes; give a whole number from 0",
        ),
        (lambda: faults.CutAfter(1.5), "CutAfter.bytes: 1.5 is not a number of bytes; "),
        (lambda: faults.CutAt("-5s"), "CutAt.at: '-5s' is not a duration; "),
        (
            lambda: faults.HalfClose("both"),
            "HalfClose.direction: 'both' would close it whole, which is Drop(); ",
        ),
        (lambda: faults.Slicer(0), "Slicer.size: 0 is not a number of bytes; give a whole number from 1"),
        (
            lambda: faults.DropControlFrames("data"),
            "DropControlFrames.kinds: 'data' is unknown; valid ones: 'ping', 'pong', 'close'",
        ),
        (lambda: faults.DropControlFrames([]), "DropControlFrames.kinds: is empty; "),
        (
            lambda: faults.IdleTimeout(60, reset_by="bytes"),
            "IdleTimeout.reset_by: 'bytes' is unknown; valid ones: 'any', 'upstream', 'downstream', ",
        ),
        (
            lambda: faults.IdleTimeout(60, ends_with="close"),
            "IdleTimeout.ends_with: 'close' is unknown; valid ones: 'fin', 'reset', 'silence', 'blackhole'",
        ),
        (lambda: faults.MaxAge(float("inf")), "MaxAge.seconds: inf is negative or not finite; "),
        (lambda: faults.LateConfirm(0), "LateConfirm.delay: must be longer than 0, not 0; "),
        (
            lambda: faults.CloseWith(1006),
            f"CloseWith.code: 1006 cannot be sent in a close frame; valid ones: {VALID_CODES} (",
        ),
        (lambda: faults.CloseWith(1000, "x" * 124), "CloseWith.reason: 124 bytes; a close frame holds 123"),
        (lambda: faults.CloseWith(1000, 7), "CloseWith.reason: 7 is not text"),
        (
            lambda: faults.InvalidCloseCode(1000),
            "InvalidCloseCode.code: 1000 is a valid close code; CloseWith(1000) sends it",
        ),
        (
            lambda: faults.InvalidCloseCode(70000),
            "InvalidCloseCode.code: 70000 is not a number of two bytes, 0 to 65535",
        ),
        (lambda: faults.Oversize(0), "Oversize.bytes: 0 is not a number of bytes; "),
        (lambda: faults.Malformed("x"), "Malformed.kind: 'x' is unknown; valid ones: 'reserved_bit', "),
        (lambda: faults.FreezeLoop("x"), "FreezeLoop.seconds: 'x' is not a duration; "),
        (
            lambda: faults.Flood(0),
            "Flood.messages_per_second: 0 is not a number of messages a second above 0",
        ),
        (
            lambda: faults.RefuseUpgrade(200),
            "RefuseUpgrade.status: 200 is not an HTTP error; give 400 to 599",
        ),
        (
            lambda: faults.RefuseUpgrade(503, retry_after=0.5),
            "RefuseUpgrade.retry_after: 0.5 s; HTTP has whole seconds ",
        ),
        (lambda: faults.AcceptThenClose(1005), "AcceptThenClose.code: 1005 cannot be sent "),
        (lambda: faults.Restart(-1), "Restart.down_for: -1 is negative or not finite; "),
    ],
)
def test_fault_refuses_what_makes_no_sense(make, message):
    """The error names class, field and value, and says what would do."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        make()


@pytest.mark.parametrize(
    "name", ["Drop", "Blackhole", "Latency", "IdleTimeout", "CloseWith", "Flood", "RefuseUpgrade"]
)
def test_faults_are_values(name):
    """Nobody can change a fault that is in use."""
    fault = next(fault for fault, _, _ in ONE_OF_EACH if type(fault).__name__ == name)

    with pytest.raises(AttributeError):
        fault.seconds = 1.0


def test_each_fault_says_what_it_does_and_where():
    """The docstring is the reference; the place decides who carries it out."""
    for fault in faults.FAULTS.values():
        assert fault.__doc__
        assert fault.place is (
            faults.Place.LINK if issubclass(fault, faults.LinkFault) else faults.Place.PEER
        )
