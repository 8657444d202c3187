"""Where an application has WebSockets."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from pytest_wsstability.net.apps.routes import routes_of


async def handler(connection): ...


def starlette():
    """Routes of HTTP, of WebSockets, and of what is mounted."""
    applications = pytest.importorskip("starlette.applications")
    routing = pytest.importorskip("starlette.routing")
    rooms = routing.Mount("/rooms", routes=[routing.WebSocketRoute("/{room}", handler)])
    return applications.Starlette(
        routes=[routing.Route("/", handler), routing.WebSocketRoute("/ws", handler), rooms]
    )


def fastapi():
    """With a router that is included."""
    module = pytest.importorskip("fastapi")
    app, router = module.FastAPI(), module.APIRouter(prefix="/v1")
    app.get("/")(handler)
    app.websocket("/ws")(handler)
    router.websocket("/voice")(handler)
    app.include_router(router, prefix="/api")
    return app


def aiohttp():
    """What takes GET, and nothing twice: aiohttp adds HEAD."""
    web = pytest.importorskip("aiohttp.web")
    app = web.Application()
    app.router.add_get("/ws", handler)
    app.router.add_get("/rooms/{room}", handler)
    app.router.add_post("/login", handler)
    return app


def socketio():
    """Socket.IO has a path, and beside it what the app that it was put before has."""
    module = pytest.importorskip("socketio")
    return module.ASGIApp(module.AsyncServer(async_mode="asgi"), starlette(), socketio_path="io")


def mounted(mount, **paths):
    """Socket.IO in an app of Starlette's."""
    module, routing = pytest.importorskip("socketio"), pytest.importorskip("starlette.routing")
    applications = pytest.importorskip("starlette.applications")
    app = module.ASGIApp(module.AsyncServer(async_mode="asgi"), **paths)
    return applications.Starlette(routes=[routing.Mount(mount, app)])


def channels(*patterns):
    """Below the middleware of Channels, by Django's patterns."""
    module = pytest.importorskip("channels.routing")
    security = pytest.importorskip("channels.security.websocket")
    urls = pytest.importorskip("django.urls")
    routes = [
        urls.re_path(pattern, handler) if "(" in pattern or "$" in pattern else urls.path(pattern, handler)
        for pattern in patterns
    ]
    below = module.URLRouter([urls.path("deep/", module.URLRouter([urls.path("ws/", handler)]))])
    app = module.URLRouter([*routes, urls.path("v1/", below)])
    validator = security.OriginValidator(app, ["app.example"])
    return module.ProtocolTypeRouter({"http": asgi, "websocket": validator})


async def asgi(scope, receive, send): ...


def tornado(*patterns):
    """Tornado has patterns too."""
    web, websocket = pytest.importorskip("tornado.web"), pytest.importorskip("tornado.websocket")
    handlers = [(pattern, websocket.WebSocketHandler) for pattern in patterns]
    return web.Application([(r"/page", web.RequestHandler), *handlers])


def sanic():
    """Sanic knows which of its routes are WebSockets."""
    module = pytest.importorskip("sanic")
    module.Sanic.test_mode = True
    app = module.Sanic("routed")
    app.add_websocket_route(asgi, "/rooms/<room:str>")
    app.add_route(lambda request: None, "/page", name="page")
    return app


def blacksheep():
    """Of an application of the project's own class, which takes the routes over when it starts."""
    module = pytest.importorskip("blacksheep")
    app = type("Ours", (module.Application,), {})()
    app.router.add_ws("/rooms/{room}", handler)
    app.router.add_get("/page", handler)
    asyncio.run(app.start())
    return app


def falcon():
    """Falcon answers a WebSocket at each of its routes, most of them with a refusal."""
    module = pytest.importorskip("falcon.asgi")
    app = module.App()
    app.add_route("/rooms/{room:int}", type("Room", (), {"on_websocket": asgi})())
    app.add_route("/page", type("Page", (), {"on_get": asgi})())
    return app


def middleware():
    """One around an app hides what it has."""
    app = starlette()

    async def wrapped(scope, receive, send):
        await app(scope, receive, send)

    return wrapped


@pytest.mark.parametrize(
    ("make", "routes"),
    [
        (starlette, ["/ws", "/rooms/{room}"]),
        (fastapi, ["/ws", "/api/v1/voice"]),
        (aiohttp, ["/ws", "/rooms/{room}"]),
        (socketio, ["/io/", "/ws", "/rooms/{room}"]),
        (lambda: mounted("/live"), ["/live/socket.io/"]),
        (lambda: mounted("/live", socketio_path="/live/io"), ["/live/io/"]),
        (lambda: channels("ws/talk/", "ws/<str:room>/"), ["/ws/talk/", "/ws/<str:room>/", "/v1/deep/ws/"]),
        (
            lambda: channels(r"^ws/(?P<room>\w+)/$", r"ws/(?P<rest>.+)$"),
            ["/ws/<room>/", "/ws/<path:rest>", "/v1/deep/ws/"],
        ),
        (
            lambda: tornado("/ws", r"/rooms/(\w+)", "/files/(.*)"),
            ["/ws", "/rooms/<value>", "/files/<path:value>"],
        ),
        (sanic, ["/rooms/<room:str>"]),
        (blacksheep, ["/rooms/{room}"]),
        (falcon, ["/rooms/{room:int}"]),
        # A pattern that is more than a path may be any.
        (lambda: tornado("/ws", "/rooms/?"), []),
        (lambda: channels("ws/talk/", r"^ws/(?P<room>\w+)/"), []),
        (middleware, []),
        (lambda: handler, []),
        # Of frameworks that nobody knows, whose attributes have the names of others'.
        (lambda: SimpleNamespace(url_map=[("GET", "/ws")]), []),
        (lambda: SimpleNamespace(application_mapping={"websocket": SimpleNamespace(routes=["/ws"])}), []),
        (lambda: SimpleNamespace(routes=[SimpleNamespace(original_router="/ws")]), []),
    ],
    ids=[
        "starlette",
        "fastapi",
        "aiohttp",
        "socketio",
        "mounted",
        "mounted by its whole path",
        "channels",
        "patterns of channels",
        "tornado",
        "sanic",
        "blacksheep",
        "falcon",
        "other patterns of tornado",
        "an open pattern of channels",
        "middleware",
        "handler",
        "another url_map",
        "another mapping",
        "other routes",
    ],
)
def test_paths_with_websockets(make, routes):
    """As far as the framework knows them."""
    assert routes_of(make()) == routes
