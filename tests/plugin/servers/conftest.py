"""A project with an app of its own."""

import pytest

# An ASGI app without a framework: it echoes texts, says what its lifespan does, and breaks on other paths.
APP = """
import logging

log = logging.getLogger("mine")
made = []


def factory():
    made.append(len(made))
    return app


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            log.warning(message["type"])
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    assert scope["type"] == "websocket"
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    log.warning("%s?%s", scope["path"], scope["query_string"].decode())
    if scope["path"] == "/out":
        import asyncio
        await asyncio.open_connection("10.1.2.3", 6379)
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        if message.get("text") == "break":
            raise RuntimeError("boom")
        await send({"type": "websocket.send", "text": message["text"]})


def wsgi(environ, start_response): ...
def raises(): raise KeyError("no settings")
async def handler(connection):
    async for message in connection:
        await connection.send(message)
number = 3
class Class: ...
def nothing(): return app
def create(settings, debug): return app
def sync(connection): ...
def exits(): raise SystemExit(3)
async def exits_later(): raise SystemExit(3)
async def build(): return app
"""


@pytest.fixture
def project_app(pytester):
    """The module ``app`` of the project."""
    pytester.makepyfile(app=APP)
