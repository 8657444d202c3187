"""docs/first-hour.md: each of its tests runs, and each of its messages is said."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.plugin.servers.test_commands import SERVER

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "first-hour.md").read_text()
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
APP = """
def create_app(testing=False):
    return app


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await receive()
    if scope["path"] not in ("/ws", "/voice"):
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
"""


def test_the_page_has_code():
    """What is tested below is read from it."""
    assert len(CODE) >= 6


@pytest.mark.parametrize(
    "code",
    [code for code in CODE if "ws_command" not in code],
    ids=lambda code: re.findall(r"def (\w+)", code)[-1],
)
def test_its_tests_run(run, pytester, monkeypatch, code):
    """As they stand, with what the page installs, at its path; pytest-django is not here."""
    pytest.importorskip("uvicorn")
    monkeypatch.setitem(sys.modules, "wsproto", None)
    if "django" in code:
        compile(code, "first-hour.md", "exec")
        return
    pytester.makepyfile(app=APP)
    if "def test_" not in code:
        code += f"\n\n{CODE[0].partition('import pytest')[2]}"
    # The JSON protocol is the reference server's; frames are anybody's.
    args = [] if "talk" in code or "ws_app" in code else ["--ws-app=app:app", "--ws-profile=frames"]

    assert run(code, *args).parseoutcomes() == {"passed": 1}


@pytest.mark.slow
@pytest.mark.parametrize("code", [code for code in CODE if "ws_command" in code])
def test_its_tests_of_a_process_run(passes, pytester, code):
    """With any server."""
    pytester.makepyfile(server=SERVER)

    passes(code, f"--ws-command={sys.executable} server.py --port {{port}}")


@pytest.mark.parametrize("option", sorted(set(re.findall(r"--ws-[\w-]+", PAGE))))
def test_its_options_are_options(option, pytestconfig):
    """Each that it names."""
    from pytest_wsstability.plugin.options import OPTIONS

    assert option in {each.flag for each in OPTIONS}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"^    (ws_\w+) =", PAGE, re.MULTILINE))))
def test_its_ini_names_are_ini_names(name):
    """Each that it sets."""
    from pytest_wsstability.plugin.options import OPTIONS

    assert name in {each.ini for each in OPTIONS}
