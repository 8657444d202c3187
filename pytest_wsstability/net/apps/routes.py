"""The paths at which the WebSockets of an application open, as far as its framework tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from .kinds import AppKind, kind_of

# The class of Tornado's that handles WebSockets; by name, as nothing is loaded to ask.
_TORNADO_HANDLER = ("tornado.websocket", "WebSocketHandler")
# A group of a regular expression, which is a parameter of a path; and what else is no plain text in one.
_GROUP = re.compile(r"\((?:\?P<(\w+)>)?([^()?][^()]*)\)")
_NO_TEXT = re.compile(r"[\\*+?\[\](){}|^$]")


def routes_of(app: Any) -> list[str]:
    """
    The paths at which a WebSocket may open; empty where its framework does not tell.

    Starlette, FastAPI and Litestar know them, Quart, Sanic, BlackSheep, Falcon, Channels and Tornado;
    Socket.IO has one. aiohttp knows only which ones take GET.

    """
    try:
        return _told_by(app)
    except Exception:
        # Frameworks are known by the names of attributes; another's of that name is anything (Microdot's
        # ``url_map`` is a list), and no test fails for a line of help.
        return []


def _told_by(app: Any) -> list[str]:
    if isinstance(path := getattr(app, "engineio_path", None), str):
        beside = getattr(app, "other_asgi_app", None)
        return [path, *(routes_of(beside) if beside is not None else ())]
    if hasattr(app, "url_map"):
        return [rule.rule for rule in app.url_map.iter_rules() if getattr(rule, "websocket", False)]
    if isinstance(by_protocol := getattr(app, "application_mapping", None), dict):
        return _plain(_of_channels(by_protocol.get("websocket"), ""))
    kind = kind_of(app)
    if kind is AppKind.AIOHTTP:
        found = (route.resource for route in app.router.routes() if route.method in ("GET", "*"))
        return list(dict.fromkeys(each.canonical for each in found if each is not None))
    if kind is AppKind.TORNADO:
        return _plain(_of_tornado(app.wildcard_router.rules))
    makers = {each.__module__.partition(".")[0] for each in type(app).__mro__}
    if "sanic" in makers:
        return [route.uri for route in app.router.routes if getattr(route.extra, "websocket", False)]
    if "blacksheep" in makers:
        return [route.mustache_pattern for route in app.router.routes.get(b"GET_WS", ())]
    if "falcon" in makers:
        return _of_falcon(app)
    return list(_of_starlette(getattr(app, "routes", ()), ""))


def _of_starlette(routes: Any, prefix: str) -> Iterator[str]:
    for route in routes if isinstance(routes, list | tuple) else ():
        path = f"{prefix}{getattr(route, 'path', None) or ''}"
        if "WebSocket" in type(route).__name__:
            yield path
        elif hasattr(route, "original_router"):
            # FastAPI keeps a router that was included as one route.
            start = getattr(getattr(route, "include_context", None), "prefix", "")
            yield from _of_starlette(route.original_router.routes, f"{prefix}{start}")
        elif isinstance(mounted := getattr(getattr(route, "app", None), "engineio_path", None), str):
            # Starlette leaves the whole path to what it mounts, so that some name all of it.
            yield mounted if mounted.startswith(path) else f"{path}{mounted}"
        else:
            yield from _of_starlette(getattr(route, "routes", ()), path)


def _of_falcon(app: Any) -> list[str]:
    # Internal: Falcon's own answer for a method that a resource has not.
    return [
        route.path
        for route in import_module("falcon.inspect").inspect_routes(app)
        if any(each.method == "WEBSOCKET" and not each.internal for each in route.methods)
    ]


def _of_channels(app: Any, prefix: str) -> Iterator[str | None]:
    """The routes of a ``URLRouter`` below the middleware of Channels; None for one that is not known."""
    while app is not None and not hasattr(app, "routes"):
        app = getattr(app, "application", None) or getattr(app, "inner", None)
    for route in getattr(app, "routes", ()):
        text: str | None = str(route.pattern)
        if type(route.pattern).__name__ == "RegexPattern":
            # One that ends nowhere takes whatever begins so.
            is_whole = str(route.pattern).endswith("$") or hasattr(route.callback, "routes")
            text = _of_pattern(str(route.pattern)) if is_whole else None
        if text is None:
            yield None
        elif hasattr(route.callback, "routes"):
            yield from _of_channels(route.callback, f"{prefix}{text}")
        else:
            yield f"/{prefix}{text}"


def _of_tornado(rules: Any) -> Iterator[str | None]:
    """The same of Tornado's rules, whose patterns end with ``$``."""
    for rule in rules:
        pattern = getattr(getattr(rule.matcher, "regex", None), "pattern", "")
        classes = getattr(rule.target, "__mro__", None)
        if classes is None:
            # A router of its own, or a function.
            yield None
        elif _TORNADO_HANDLER in ((each.__module__, each.__qualname__) for each in classes):
            yield _of_pattern(pattern)


def _of_pattern(pattern: str) -> str | None:
    """A regular expression as a path with parameters; None where it has more than plain text and groups."""
    text = pattern.removeprefix("^").removesuffix("$")
    if not text or _NO_TEXT.search(_GROUP.sub("", text)):
        return None

    def parameter(group: re.Match[str]) -> str:
        return f"<{'path:' if re.search(r'[.][*+]', group[2]) else ''}{group[1] or 'value'}>"

    return _GROUP.sub(parameter, text)


def _plain(routes: Iterator[str | None]) -> list[str]:
    """All of them, or none where one is not known: a path may be that one's."""
    found = list(routes)
    return [] if None in found else [route for route in found if route is not None]
