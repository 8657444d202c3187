"""A link that the test makes slow is not a server that is slow, though nobody has the server's record."""

from __future__ import annotations

import pytest

APP = """
import json


async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": '{"type": "connection_established"}'})
    while (event := await receive())["type"] == "websocket.receive":
        said = json.loads(event["text"])
        kind = {"session_info": "session_confirmed", "ping": "pong"}[said["type"]]
        await send({"type": "websocket.send", "text": json.dumps({**said, "type": kind})})
"""


CONFIRMED = 'await connection.assert_session_confirmed(within="1s")'
ANSWERED = 'await connection.assert_alive_for("1m"); connection.assert_heartbeats_answered(within="1s")'


@pytest.mark.parametrize(
    ("fault", "steps"),
    [
        ('faults.Latency("2s")', CONFIRMED),
        ('faults.Latency("2s")', ANSWERED),
        ('("1s", faults.Bandwidth(30))', ANSWERED),
        ('("24s", faults.Stall("8s"))', ANSWERED),
    ],
)
def test_the_path_is_to_blame(pytester, fault, steps):
    """The record of the test's own proxy shows that its faults kept the answers back."""
    pytester.makepyfile(app=APP)
    pytester.makepyfile(f"""
        from pytest_wsstability import faults

        async def test_it(ws_connect, ws_proxy):
            proxy = await ws_proxy(faults=[{fault}])
            connection = await ws_connect(proxy.url, heartbeat="25s")
            {steps}
    """)
    result = pytester.runpytest("--ws-app", "app:app")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*faults that the test applied to the link kept back*blame path)"])
