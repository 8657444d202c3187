"""Why an app did not accept a connection: its routes, its words and its errors, which no client sees."""

from __future__ import annotations

import re

import pytest

from tests.plugin.servers.sources import asgi

ROUTED = """
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute


async def talk(websocket):
    if "token" in websocket.query_params:
        await websocket.accept()
    else:
        await websocket.close(4401)


async def page(request): ...


paths = ("/ws", "/rooms/{name}", "/files/{name:path}")
app = Starlette(routes=[Route("/", page), *(WebSocketRoute(path, talk) for path in paths)])
"""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/", "the app has /ws, /rooms/{name}, /files/{name:path}, and not /: ws_stability(url='/ws')"),
        ("/ws/", "the app has /ws, /rooms/{name}, /files/{name:path}, and not /ws/: ws_stability(url='/ws')"),
        ("/ws", None),
        ("/rooms/lobby", None),
        # A parameter takes one part of a path, but for those of paths.
        ("/rooms/lobby/x", "the app has /ws, /rooms/{name}, /files/{name:path}, and not /rooms/lobby/x"),
        ("/files/a/b", None),
    ],
)
def test_a_path_without_a_websocket(failure, pytester, url, said):
    """The paths that have one are told where the path is why; and where to read on, in any case."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    pytester.makepyfile(routed=ROUTED)
    printed = failure(
        f"""
        import pytest

        @pytest.mark.ws_stability(alive_for="1h", profile="frames", url={url!r})
        def test_it(ws_soak): ...
        """,
        "--ws-app=routed:app",
    )

    assert "did not open (upgrade refused): HTTP 403 Forbidden" in printed
    assert "  fix       give what the server asks for: a token " in printed
    assert "  read on   wsstability explain opening-http" in printed
    assert (said is None) == ("  routes  " not in printed)
    assert said is None or said in " ".join(printed.split())


def test_a_path_that_channels_does_not_have(failure, pytester):
    """The routes stand below its validators and middleware."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("channels")
    pytester.makepyfile(
        routed="""
        import django.conf
        django.conf.settings.configure(ALLOWED_HOSTS=["app.example"])
        from channels.generic.websocket import AsyncWebsocketConsumer
        from channels.routing import ProtocolTypeRouter, URLRouter
        from channels.security.websocket import AllowedHostsOriginValidator
        from django.urls import re_path

        talk = AsyncWebsocketConsumer.as_asgi()
        routes = URLRouter([re_path(r"ws/(?P<room>[a-z]+)/$", talk)])
        app = ProtocolTypeRouter({"websocket": AllowedHostsOriginValidator(routes)})
        """
    )
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="1h", profile="frames", url="/ws")
        def test_it(ws_soak): ...
        """,
        "--ws-app=routed:app",
    )

    told = " ".join(printed.split())
    assert "the app has /ws/<room>/, and not /ws: ws_stability(url='/ws/<room>/') with a value for" in told
    assert "an Origin (ws_stability(origin=...), without which Channels'" in told


def test_a_fleet_at_a_path_without_a_websocket_is_told_the_routes(failure, pytester):
    """Below what its connections were refused with."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    pytester.makepyfile(routed=ROUTED)
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="1m", profile="frames", connections=3, url="/room")
        def test_it(ws_fleet): ...
        """,
        "--ws-app=routed:app",
    )

    assert "the app has /ws, /rooms/{name}, /files/{name:path}, and not /room" in " ".join(printed.split())


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
@pytest.mark.parametrize(
    ("close", "said"),
    [
        ('"code": 1008, "reason": "no token"', "1008 no token"),
        ('"code": 4401', "4401"),
        ('"reason": [{"loc": "room"}]', "1000 [{'loc': 'room'}]"),
        ('"code": 1000', None),
    ],
)
def test_why_an_app_did_not_accept(failure, server, close, said):
    """A server answers 403 to whatever its app closed with; a router closes what has no route with 1000."""
    printed = failure(asgi(connection=f'await send({{"type": "websocket.close", {close}}})', server=server))
    lines = [line for line in printed.splitlines() if line.startswith("  app ")]

    assert "HTTP 403" in printed
    assert lines == ([f"  app       closed it before it had accepted: {said}"] if said else [])


def test_an_error_before_the_accept_is_named(failure):
    """The server answers 500; its log says why."""
    printed = failure(asgi(connection='raise LookupError("no such room")'))

    assert "not opened: HTTP 500" in printed
    assert "  fix       see the server's traceback: its handler failed before it had accepted" in printed
    assert re.search(r"\n  log       LookupError: no such room, at \S+\.py:\d+ \(app\)\n", printed)


@pytest.mark.parametrize("path", ["/raises", "/quiet"])
def test_an_error_behind_a_close_before_the_accept_is_named(failure, path):
    """Frameworks close where a handler has raised, and log what; that of another connection is not told."""
    source = asgi(
        connection="""
        import logging
        try:
            if scope["path"] == "/raises":
                raise LookupError("no such room")
        except LookupError:
            logging.getLogger("framework").exception("while handling WebSocket")
        await send({"type": "websocket.close"})
        """
    )
    body = f"""async def test_it(ws_connect):
    import contextlib
    with contextlib.suppress(OSError):
        await ws_connect("/raises")
    await ws_connect({path!r})
"""
    printed = failure(source.replace("def test_it(ws_soak): ...", body))

    assert "not opened: HTTP 403" in printed
    told = "  log       LookupError: no such room, at" in printed
    assert told == (path == "/raises")


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_that_never_accepts_is_told(failure, server):
    """The server waits as long as its client does; hypercorn on Python 3.13 until the app has ended."""
    printed = failure(asgi(connection="await asyncio.sleep(20)", server=server))

    assert "not opened: no HTTP response to the upgrade within 10 s" in printed
    assert "  app       its handler has the connection, and awaits something before it accepts it" in printed


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('profile="socketio"', "Socket.IO 5 is at /socket.io/ by default, and this asked for /: "),
        (
            'profile="actioncable", url="/ws"',
            "Action Cable is at /cable by default, and this asked for /ws: ",
        ),
        ('profile="socketio", url="/api/socket.io/"', ""),
        ('profile="frames"', ""),
    ],
)
def test_the_usual_path_of_a_protocol_is_named(failure, given, told):
    """Where another one was refused, and nobody knows what the server has."""
    printed = failure(
        asgi(connection='await send({"type": "websocket.close"})').replace('profile="frames"', given)
    )

    assert ("  path  " in printed) == bool(told)
    assert told in " ".join(printed.split())


@pytest.mark.parametrize(("status", "is_told"), [(404, True), (401, False), (429, False), (503, False)])
def test_the_usual_path_is_not_named_where_a_status_says_what_is_wrong(failure, status, is_told):
    response = "websocket.http.response"
    answer = (
        f'await send({{"type": "{response}.start", "status": {status}, "headers": []}}); '
        f'await send({{"type": "{response}.body", "body": b""}})'
    )

    printed = failure(asgi(connection=answer).replace('profile="frames"', 'profile="socketio"'))

    assert f"HTTP {status}" in printed
    assert ("  path  " in printed) == is_told


@pytest.mark.parametrize("offered", ["", ', subprotocol="v1"'])
@pytest.mark.parametrize(
    ("chosen", "owner"),
    [
        ("v9", ""),
        ("ocpp1.6", "; that is OCPP 1.6: profile 'ocpp'"),
        ("graphql-transport-ws", "; that is GraphQL over WebSocket: profile 'graphql-transport-ws'"),
        ("graphql-ws", "; no profile speaks it: it is older than GraphQL over WebSocket"),
    ],
)
def test_a_subprotocol_that_was_not_offered_is_named(failure, offered, chosen, owner):
    """With what to write, and the profile that has it."""
    accept = f'await send({{"type": "websocket.accept", "subprotocol": {chosen!r}}}); await receive()'
    printed = failure(asgi(connection=accept).replace('profile="frames"', f'profile="frames"{offered}'))
    told = f": the server chose the subprotocol {chosen!r}, which was not offered"

    assert f"{told}{owner}\n" in printed
    assert "  fix       offer the subprotocol that the server speaks (ws_stability(subprotocol=" in printed
