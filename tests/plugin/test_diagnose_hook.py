"""Rules of a team's own: pytest_wsstability_diagnose in a conftest."""

import pytest

MUTE = """
import pytest

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_it(ws_soak): ...
"""
RULE = """
from pytest_wsstability import Blame, Cause, Confidence, Diagnosis

def pytest_wsstability_diagnose(timeline, others):
    if timeline.close is None or timeline.close.at != 60.0:
        return None
    assert [other.end.value for other in others] == ["server"]
    return Diagnosis(
        cause=Cause.MAX_AGE, confidence=Confidence.HIGH, blame=Blame.PATH,
        sentence="our gateway cuts at 60 s", headline="our gateway cuts at 60 s",
    )
"""


def test_a_rule_of_the_team_replaces_the_table(run, pytester):
    """In the message, in the short summary, and in reports."""
    pytester.makeconftest(RULE)

    result = run(MUTE, "--ws-report=out.json")

    result.stdout.fnmatch_lines(
        [
            "our gateway cuts at 60 s (1006 at 60 s of 120 s) [[]client end]",
            "*  likely    our gateway cuts at 60 s (confidence high, blame path)",
            "FAILED *::test_it - our gateway cuts at 60 s (1006 at 60 s of 120 s)",
        ]
    )
    assert "our gateway cuts at 60 s" in (pytester.path / "out.json").read_text()


def test_a_failure_in_a_task_group_is_asked_about(run, pytester):
    """As one that is raised alone."""
    pytester.makeconftest(RULE)

    run("""
        import asyncio

        async def test_it(ws_connect):
            async with asyncio.TaskGroup() as group:
                connection = await ws_connect(client="mute")
                group.create_task(connection.assert_alive_for("2m"))
    """).stdout.fnmatch_lines([
        "*  likely    our gateway cuts at 60 s (confidence high, blame path)",
        "FAILED *::test_it - our gateway cuts at 60 s (1006 at 60 s of 120 s)",
    ])  # fmt: skip


def test_no_idea_leaves_the_table(run, pytester):
    """None is no answer."""
    pytester.makeconftest(RULE.replace("!= 60.0", "!= 55.0"))

    run(MUTE).stdout.fnmatch_lines(["FAILED *::test_it - pongs withheld, *"])


@pytest.mark.parametrize("answer", ["'the gateway'", "55"])
def test_an_answer_that_is_none_is_told(run, pytester, answer):
    """The built-in diagnosis stays."""
    pytester.makeconftest(f"def pytest_wsstability_diagnose(timeline, others): return {answer}")

    result = run(MUTE)

    result.stdout.fnmatch_lines(
        [
            f"*  evidence  pytest_wsstability_diagnose: {answer} is no Diagnosis; the built-in one stays",
            "FAILED *::test_it - pongs withheld, *",
        ]
    )
