"""The routes on Tornado."""

from __future__ import annotations

import asyncio

import process
import story
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler


class Story(WebSocketHandler):
    def initialize(self, silent: str | None = None) -> None:
        self.silent = silent
        self.timers: list[object] = []

    def check_origin(self, origin: str) -> bool:
        return True

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return story.SUBPROTOCOL if story.SUBPROTOCOL in subprotocols else None

    def open(self, *args: str) -> None:
        self.write_message(story.GREETING)

    def on_message(self, message: str | bytes) -> None:
        reply = story.answer(message, self.silent)
        if reply is not None:
            self.reply(reply)

    def reply(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))

    def later(self, seconds: str, action: object, *args: object) -> None:
        self.timers.append(IOLoop.current().call_later(float(seconds), action, *args))

    def on_close(self) -> None:
        for timer in self.timers:
            IOLoop.current().remove_timeout(timer)


class Slow(Story):
    def reply(self, message: str | bytes) -> None:
        if message == story.PONG:
            self.later(self.get_query_argument("delay"), super().reply, message)
        else:
            super().reply(message)


class Big(Story):
    def open(self) -> None:
        super().open()
        self.write_message("x" * int(self.get_query_argument("bytes")))


class Close(Story):
    def open(self, code: str) -> None:
        super().open()
        self.later(self.get_query_argument("after", "0.2"), self.close, int(code), story.REASON)


class Drop(Story):
    def open(self) -> None:
        super().open()
        # Tornado has no public way to abort; closing the stream sends no close frame.
        self.later(self.get_query_argument("after", "0.2"), self.ws_connection.stream.close)


class Refuse(RequestHandler):
    def get(self, status: str) -> None:
        self.set_status(int(status))
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(story.refusal(int(status)))


async def main() -> None:
    options = process.arguments()
    app = Application(
        [
            ("/ws", Story),
            ("/deaf", Story, {"silent": "ping"}),
            ("/unconfirmed", Story, {"silent": "session_info"}),
            ("/slow", Slow),
            ("/big", Big),
            (r"/close/(\d+)", Close),
            ("/drop", Drop),
            (r"/refuse/(\d+)", Refuse),
        ],
        websocket_ping_interval=0,
        log_function=lambda handler: None,
    )
    server = HTTPServer(app, ssl_options=process.tls_context(options))
    sockets = bind_sockets(options.port, "127.0.0.1")
    server.add_sockets(sockets)
    process.announce(sockets[0].getsockname()[1])
    await process.until_terminated()
    server.stop()
    await server.close_all_connections()


if __name__ == "__main__":
    asyncio.run(main())
