"""The file of ``--log-file`` is redacted, and what pytest writes in its place to nowhere is not."""

import pytest

MODULE = """
import logging

import pytest

LOGGER = logging.getLogger("app")


@pytest.mark.asyncio
async def test_logs(ws_clock, pytestconfig, monkeypatch, tmp_path):
    logs = pytestconfig.pluginmanager.get_plugin("logging-plugin")
    looked = []
    formatter = logs.log_file_handler.formatter
    monkeypatch.setattr(formatter, "_redact", lambda text: looked.append(text) or text)
    LOGGER.warning("once")
    assert len(looked) == COUNT

    logs.set_log_path(str(tmp_path / "other.txt"))
    LOGGER.warning("twice")
    assert len(looked) == COUNT + 1
"""


@pytest.mark.parametrize(("options", "count"), [([], 0), (["--log-file=log.txt"], 1)])
def test_what_is_looked_through(pytester, options, count):
    """A plugin may give pytest another file in the middle of a run."""
    pytester.makepyfile(MODULE.replace("COUNT", str(count)))
    pytester.runpytest(*options).assert_outcomes(passed=1)
