"""Tests that several files here run: a hold of an app, and one of an ASGI app that does what is given."""

from __future__ import annotations

import pytest

HOLD = """
import pytest

@pytest.mark.ws_stability(alive_for="1h", heartbeat_every="25s", profile="frames")
def test_it(ws_soak):
    assert ws_soak.timeline.tier.name == "VIRTUAL"
"""

ASGI = """
import asyncio
import pytest

@pytest.fixture
def ws_app():
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                {lifespan}
                await send({{"type": message["type"] + ".complete"}})
                if message["type"] == "lifespan.shutdown":
                    return
        await receive()
        {connection}
    return app

@pytest.mark.ws_server({server})
@pytest.mark.ws_stability(alive_for="1m", profile="frames")
def test_it(ws_soak): ...
"""

ACCEPTS = 'await send({"type": "websocket.accept"}); await receive()'


def asgi(*, connection=ACCEPTS, lifespan="pass", server="uvicorn", more=""):
    """A test of an app that does this."""
    pytest.importorskip(server)
    return ASGI.format(connection=connection, lifespan=lifespan, server=f"{server!r}{more}")
