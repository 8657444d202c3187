"""ws_long: skipped in real time unless asked for, never in virtual time."""

from __future__ import annotations

SOURCE = """
import pytest

@pytest.mark.ws_long
@pytest.mark.ws_stability(alive_for={hold}, heartbeat_every={beat})
def test_it(ws_soak):
    pass
"""


def test_it_runs_in_virtual_time(passes):
    """Where long costs nothing."""
    passes(SOURCE.format(hold=3600, beat=25))


def test_it_is_skipped_in_real_time(run):
    """And the reason says how to run it."""
    result = run(SOURCE.format(hold=3600, beat=25), "--ws-time=real", "-rs")

    assert result.parseoutcomes() == {"skipped": 1}
    result.stdout.fnmatch_lines(["SKIPPED * ws_long: takes long in real time; run it with --ws-long"])


def test_it_is_skipped_against_a_remote_target(run):
    """The clock is real there."""
    result = run(SOURCE.format(hold=3600, beat=25), "--ws-url=ws://a.example/")

    assert result.parseoutcomes() == {"skipped": 1}


def test_it_runs_in_real_time_when_asked_for(passes):
    """With --ws-long."""
    passes(SOURCE.format(hold=0.1, beat=0.04), "--ws-time=real", "--ws-long")


def test_any_test_can_be_long(run):
    """The marker alone is enough; a test that uses nothing of ours is always real."""
    source = """
        import pytest

        @pytest.mark.ws_long
        def test_it():
            pass
        """
    assert run(source).parseoutcomes() == {"skipped": 1}
    assert run(source, "--ws-long").parseoutcomes() == {"passed": 1}
