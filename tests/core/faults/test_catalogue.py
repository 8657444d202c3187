"""Faults as words of a command line: by order, by name, at a time; and what is no fault."""

import pytest

from pytest_wsstability import faults
from pytest_wsstability.core.faults.catalogue import FAULTS, fault_in
from pytest_wsstability.core.timeline.events import FaultName


@pytest.mark.parametrize(
    ("text", "when", "fault"),
    [
        ("drop", 0.0, faults.Drop()),
        ("drop at 30s", 30.0, faults.Drop()),
        ("withhold_pongs at 500ms", 0.5, faults.WithholdPongs()),
        ("close_with 1012 at 1m", 60.0, faults.CloseWith(1012)),
        ("close_with code=4000 reason='at last' at 5", 5.0, faults.CloseWith(4000, "at last")),
        ("close_with 4000 404", 0.0, faults.CloseWith(4000, "404")),
        ("refuse_upgrade 503 retry_after=5s", 0.0, faults.RefuseUpgrade(503, retry_after="5s")),
        ("latency 80ms jitter=10ms", 0.0, faults.Latency("80ms", jitter="10ms")),
        ("flood 0.5 seconds=1m size=10", 0.0, faults.Flood(0.5, size=10, seconds="1m")),
        ("malformed long_ping", 0.0, faults.Malformed("long_ping")),
        ("drop_control_frames ping,pong", 0.0, faults.DropControlFrames(["ping", "pong"])),
        ("blackhole upstream at 1m", 60.0, faults.Blackhole(direction="upstream")),
        ("cut_at 60s", 0.0, faults.CutAt("60s")),
        ("close_with 4000 reason=at at 5s", 5.0, faults.CloseWith(4000, "at")),
        ("close_with 4000 reason=30s", 0.0, faults.CloseWith(4000, "30s")),
        ("  restart   down_for=2s  ", 0.0, faults.Restart("2s")),
    ],
)
def test_a_fault_is_read(text, when, fault):
    """As its class would be written."""
    assert fault_in(text) == (when, fault)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^fault '': is empty; give NAME \[VALUE or NAME=VALUE\]... \[at TIME\]$"),
        ("dropp", r"^fault 'dropp': unknown fault 'dropp' \(did you mean 'drop'\?\); valid ones: drop, "),
        ("drop 5", r"^fault 'drop 5': '5' is too much; it takes nothing$"),
        ("close_with 1 2 3", r"^fault 'close_with 1 2 3': '3' is too much; it takes code, reason$"),
        ("close_with 1006", r"^fault 'close_with 1006': CloseWith.code: 1006 cannot be sent"),
        ("close_with 1000 code=1001", r"'code' is there twice$"),
        ("close_with colour=red", r"unknown parameter 'colour'; valid ones: code, reason$"),
        ("restart soon", r"Restart.down_for: 'soon' is not a duration"),
        ("drop at never", r"^fault 'drop at never': 'never' is not a duration"),
        ("drop at -5", r"^fault 'drop at -5': '-5' is"),
        # Half of "at 30s" is no reason of a close frame.
        ("close_with 1012 at", r"'at' stands before the time alone, which comes last: at 30s$"),
        ("close_with 1012 bye at", r"'at' stands before the time alone"),
        ("close_with 1012 at at 5s", r"'at' stands before the time alone"),
        ("drop at 30s 40s", r"'at' stands before the time alone"),
        ("close_with 1012 30s", r"'30s': write 'at 30s' for the time, or reason=30s for the text$"),
        ("close_with 4000 'unfinished", r"^fault .*: No closing quotation$"),
        ("refuse_upgrade 200", r"RefuseUpgrade.status: 200 is not an HTTP error; give 400 to 599$"),
        ("flood inf", r"Flood.messages_per_second: inf is not a number of messages a second above 0$"),
    ],
)
def test_what_is_no_fault_is_refused(text, message):
    """With the text, what is wrong in it, and what is valid."""
    with pytest.raises(ValueError, match=message):
        fault_in(text)


def test_each_name_is_that_of_one_fault():
    """What timelines and files say names a class, and no two faults share a name."""
    assert list(FAULTS) == list(FaultName)
    assert all(fault.name is name for name, fault in FAULTS.items())
