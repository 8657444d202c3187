"""docs/first-hour.md: each of its tests runs, and each of its messages is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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
    await send({"type": "websocket.accept", "subprotocol": next(iter(scope["subprotocols"]), None)})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
"""


def test_the_page_has_code():
    """What is tested below is read from it."""
    assert len(CODE) >= 6


@pytest.mark.parametrize("code", CODE, ids=lambda code: re.findall(r"def (\w+)", code)[-1])
def test_its_tests_run(run, pytester, code):
    """As they stand; a process is another page's matter, and a dead client fails as it is meant to."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("wsproto")
    if "ws_command" in code:
        compile(code, "first-hour.md", "exec")
        return
    pytester.makepyfile(app=APP)
    if "def test_" not in code:
        code += '\n\n@pytest.mark.ws_stability(alive_for="1m", profile="frames")\ndef test_it(ws_soak): ...\n'
    # The JSON protocol is the reference server's; frames are anybody's.
    args = [] if "talk" in code or "ws_app" in code else ["--ws-app=app:app", "--ws-profile=frames"]
    outcomes = run(code, *args).parseoutcomes()

    assert outcomes == ({"failed": 1} if 'client="mute"' in code else {"passed": 1})


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
