"""--ws-inconclusive: what a verdict that the evidence cannot carry does to a test."""

from __future__ import annotations

import pytest

# No heartbeat goes out, so nothing can be said about answers.
SOURCE = """
async def test_it(ws_connect):
    connection = await ws_connect()
    connection.assert_heartbeats_answered(within="5s")
"""


def test_it_fails_by_default(failure):
    """It never reads as a pass, and says what it is."""
    printed = failure(SOURCE)

    assert "StabilityError: inconclusive: " in printed
    assert "  in doubt  " in printed
    assert "::test_it - inconclusive: " in printed


@pytest.mark.parametrize("args", [["--ws-inconclusive=skip"], ["-o", "ws_inconclusive=skip"]])
def test_it_can_be_skipped(run, args):
    """With the doubt as the reason."""
    result = run(SOURCE, "-rs", *args)

    assert result.parseoutcomes() == {"skipped": 1}
    assert result.ret == 0
    result.stdout.fnmatch_lines(["SKIPPED [[]1[]] test_it_can_be_skipped.py:1: inconclusive: *"])


def test_an_unstable_one_is_not_skipped(run):
    """A broken promise is no doubt."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", client="mute")
        def test_it(ws_soak):
            pass
        """,
        "--ws-inconclusive=skip",
    )

    assert result.parseoutcomes() == {"failed": 1}


def test_an_expected_failure_stays_one(run):
    """xfail is closer than an option."""
    result = run("import pytest\n\n@pytest.mark.xfail" + SOURCE, "--ws-inconclusive=skip")

    assert result.parseoutcomes() == {"xfailed": 1}


GROUP = """
import asyncio

async def test_it(ws_connect):
    connection = await ws_connect()

    async def quiet():
        connection.assert_heartbeats_answered(within="5s")

    async def fails():
        assert False, "mine"

    async with asyncio.TaskGroup() as group:
        group.create_task(quiet())
        group.create_task({other}())
"""


def test_a_group_of_them_can_be_skipped(run):
    """As a TaskGroup raises, where all that is in it is in doubt."""
    result = run(GROUP.format(other="quiet"), "-rs", "--ws-inconclusive=skip")

    assert result.parseoutcomes() == {"skipped": 1}
    result.stdout.fnmatch_lines(["SKIPPED [[]1[]] *: inconclusive: *"])


def test_a_group_with_another_error_is_not_skipped(run):
    """That is no doubt, and pytest's own words tell of both."""
    result = run(GROUP.format(other="fails"), "--ws-inconclusive=skip")

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["FAILED *::test_it - ExceptionGroup: *2 sub-exceptions*"])
