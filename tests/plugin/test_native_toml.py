"""Settings in pytest.toml, whose numbers pytest 9 hands on as they are."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest reads native TOML from 9 on")
TOML = """
[pytest]
asyncio_mode = "strict"
asyncio_default_fixture_loop_scope = "function"
"""
SHOWN = """
from pytest_wsstability.plugin.stash import settings_key

def test_it(pytestconfig):
    settings = pytestconfig.stash[settings_key]
    assert (settings.redirects, settings.soak_ramp, settings.keep) == (2, 0.5, "on")
    assert settings.fail_on == ("unstable > 3", "horizon < 1s")
"""


def run(pytester, source, *lines):
    (pytester.path / "pytest.ini").unlink()
    (pytester.path / "pytest.toml").write_text("\n".join([TOML, *lines]))
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider")


@pytest.mark.parametrize(("redirects", "ramp"), [("2", '"0.5"'), ('"2"', "0.5")])
def test_numbers_and_lists_are_taken(pytester, redirects, ramp):
    """Nobody has to put them into quotes; who does is understood too. A rate is no whole number."""
    result = run(
        pytester, SHOWN, f"ws_redirects = {redirects}", f"ws_soak_ramp = {ramp}", 'ws_keep = "on"',
        'ws_fail_on = ["unstable > 3", "horizon < 1s"]',
    )  # fmt: skip

    assert result.parseoutcomes() == {"passed": 1}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ws_redirects = -1", "ini ws_redirects: '-1' is no count; give a whole number from 0"),
        ("ws_redirects = true", "ini ws_redirects: "),
        ("ws_redirects = [1]", "ini ws_redirects: "),
        ("ws_keep = 1", "ini ws_keep: '1' is none of on, off, failures"),
    ],
)
def test_a_mistake_names_its_place(pytester, line, words):
    """As in any other file."""
    result = run(pytester, SHOWN, line)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()
