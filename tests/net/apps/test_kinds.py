"""What an application tells of itself."""

from __future__ import annotations

import functools

import pytest

from pytest_wsstability.net.apps.kinds import AppError, AppKind, kind_of, routes_of


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
        (middleware, []),
        (lambda: handler, []),
    ],
    ids=["starlette", "fastapi", "aiohttp", "middleware", "handler"],
)
def test_paths_with_websockets(make, routes):
    """As far as the framework knows them."""
    assert routes_of(make()) == routes


async def asgi(scope, receive, send): ...


class Consumer:
    """As of Channels: a class whose app claims to wrap it."""

    def __init__(self, *args, **kwargs): ...


def consumer():
    """What ``as_asgi()`` makes."""

    async def app(scope, receive, send): ...

    return functools.update_wrapper(app, Consumer, updated=())


def decorated():
    """By a decorator that passes on what it is given."""

    @functools.wraps(asgi)
    async def wrapper(*args, **kwargs):
        return await asgi(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (asgi, AppKind.ASGI),
        (consumer(), AppKind.ASGI),
        (decorated(), AppKind.ASGI),
        (functools.partial(asgi), AppKind.ASGI),
        (handler, AppKind.HANDLER),
    ],
    ids=["function", "Channels", "decorated", "partial", "handler"],
)
def test_an_app_is_what_its_own_arguments_say(app, kind):
    """And what it wraps says so only where it takes whatever it is given."""
    assert kind_of(app) is kind


def test_a_factory_is_told_from_an_app():
    """By its own arguments, too."""

    @functools.wraps(asgi)
    def factory(): ...

    with pytest.raises(AppError, match=r"if it makes the app, write 'module:name\(\)'"):
        kind_of(factory)
