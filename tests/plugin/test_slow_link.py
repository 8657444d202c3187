"""A link that the test makes slow is not a server that is slow, though nobody has the server's record."""

from __future__ import annotations

import pytest

APP = """
import asyncio
import json
from urllib.parse import parse_qsl


async def close(send, at, reason):
    await asyncio.sleep(float(at))
    await send({"type": "websocket.close", "code": 4000, "reason": reason})


async def app(scope, receive, send):
    query = dict(parse_qsl(scope["query_string"].decode()))
    slow_from, slow = float(query.get("slow_from", "inf")), float(query.get("slow", 0))
    clock = asyncio.get_running_loop().time
    begun = clock()
    await receive()
    if "ends_at" in query:
        ending = asyncio.create_task(close(send, query["ends_at"], "idle timeout"))
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": '{"type": "connection_established"}'})
    while (event := await receive())["type"] == "websocket.receive":
        said = json.loads(event["text"])
        kind = {"session_info": "session_confirmed", "ping": "pong"}.get(said["type"], "message")
        if clock() - begun >= slow_from:
            await asyncio.sleep(slow)
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
        ('("24s", faults.Blackhole()), ("32s", faults.Heal())', ANSWERED),
        ('faults.Latency("2s", jitter="2s")', ANSWERED),
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


@pytest.mark.parametrize(
    ("fault", "server", "told"),
    [
        # What a large message waited for long ago.
        ('("1s", faults.Bandwidth(20000))', "slow_from=60&slow=6", "answers are slow"),
        # It was healed long before it would have ended.
        ('("24s", faults.Stall("60s")), ("27s", faults.Heal())', "slow_from=40&slow=6", "answers are slow"),
        # What was always kept back was survived for as long.
        ('faults.Latency("2s")', "ends_at=62", "counts something else"),
        ('faults.Latency("2s", jitter="2s")', "ends_at=62", "counts something else"),
        # Nothing that the client said was on its way.
        ('("51s", faults.Stall("8s"))', "ends_at=52.5", "counts something else"),
        ('("51s", faults.Stall("28s"))', "ends_at=52.5", "counts something else"),
    ],
)
def test_the_path_is_not_to_blame_for_what_it_kept_back_at_another_time(pytester, fault, server, told):
    """A fault of the test's is no excuse for a server that is slow, or gives up, by itself."""
    pytester.makepyfile(app=APP)
    pytester.makepyfile(f"""
        import asyncio

        from pytest_wsstability import faults

        async def test_it(ws_connect, ws_proxy, ws_url):
            proxy = await ws_proxy(ws_url.rstrip("/") + "/?{server}", faults=[{fault}])
            connection = await ws_connect(proxy.url, heartbeat="25s")
            await asyncio.sleep(2)
            await connection.send('{{"type": "chat", "text": "' + 200_000 * "x" + '"}}')
            await connection.assert_alive_for("85s")
            connection.assert_heartbeats_answered(within="1s")
    """)
    result = pytester.runpytest("--ws-app", "app:app")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*likely*{told}*"])
    result.stdout.no_fnmatch_line("*blame path)*")


@pytest.mark.parametrize("broken", ["far", "near"])
def test_the_link_behind_another_is_looked_at_too(pytester, broken):
    """One behind the other, as in front of a server there may be several."""
    pytester.makepyfile(app=APP)
    pytester.makepyfile(f"""
        from pytest_wsstability import faults

        async def test_it(ws_connect, ws_proxy):
            far = await ws_proxy()
            near = await ws_proxy(far.url)
            {broken}.add(faults.Latency("2s"))
            connection = await ws_connect(near.url, heartbeat="25s")
            {ANSWERED}
    """)
    result = pytester.runpytest("--ws-app", "app:app")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*faults that the test applied to the link kept back*blame path)"])
