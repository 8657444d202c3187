"""The routes on uvicorn and starlette."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import process
import story
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute

if TYPE_CHECKING:
    from starlette.websockets import WebSocket


async def converse(
    websocket: WebSocket,
    *,
    silent: str | None = None,
    delay: float = 0,
    ending: Callable[[], Awaitable[None]] | None = None,
    size: int = 0,
) -> None:
    offered = websocket.scope["subprotocols"]
    await websocket.accept(story.SUBPROTOCOL if story.SUBPROTOCOL in offered else None)
    await websocket.send_text(story.GREETING)
    if size:
        await websocket.send_text("x" * size)
    with story.Later() as later:
        if ending:
            later(float(websocket.query_params.get("after", 0.2)), ending)
        while (received := await websocket.receive())["type"] == "websocket.receive":
            text = received.get("text")
            reply = story.answer(received["bytes"] if text is None else text, silent)
            if reply == story.PONG and delay:
                later(delay, websocket.send_text, reply)
            elif isinstance(reply, str):
                await websocket.send_text(reply)
            elif reply is not None:
                await websocket.send_bytes(reply)


async def ws(websocket: WebSocket) -> None:
    await converse(websocket)


async def deaf(websocket: WebSocket) -> None:
    await converse(websocket, silent="ping")


async def unconfirmed(websocket: WebSocket) -> None:
    await converse(websocket, silent="session_info")


async def slow(websocket: WebSocket) -> None:
    await converse(websocket, delay=float(websocket.query_params["delay"]))


async def big(websocket: WebSocket) -> None:
    await converse(websocket, size=int(websocket.query_params["bytes"]))


async def close(websocket: WebSocket) -> None:
    await converse(websocket, ending=lambda: websocket.close(websocket.path_params["code"], story.REASON))


async def drop(websocket: WebSocket) -> None:
    # ASGI hides the transport, so the server is asked for it.
    connections = websocket.app.state.server.server_state.connections

    async def abort() -> None:
        for connection in list(connections):
            if connection.client == websocket.scope["client"]:
                connection.transport.abort()

    await converse(websocket, ending=abort)


async def refuse(websocket: WebSocket) -> None:
    status = websocket.path_params["status"]
    await websocket.send_denial_response(PlainTextResponse(story.refusal(status), status))


app = Starlette(
    routes=[
        WebSocketRoute("/ws", ws),
        WebSocketRoute("/deaf", deaf),
        WebSocketRoute("/unconfirmed", unconfirmed),
        WebSocketRoute("/slow", slow),
        WebSocketRoute("/big", big),
        WebSocketRoute("/close/{code:int}", close),
        WebSocketRoute("/drop", drop),
        WebSocketRoute("/refuse/{status:int}", refuse),
    ]
)


class Server(uvicorn.Server):
    """Announces its port."""

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        process.announce(self.servers[0].sockets[0].getsockname()[1])


def main() -> None:
    options = process.arguments()
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=options.port,
        ssl_certfile=options.certfile,
        ssl_keyfile=options.keyfile,
        ws_ping_interval=None,
        timeout_graceful_shutdown=1,
        log_level="warning",
    )
    app.state.server = Server(config)
    # Uvicorn raises SIGTERM once more after its shutdown, for whoever handled it before.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    process.terminate_at_eof()
    app.state.server.run()


if __name__ == "__main__":
    main()
