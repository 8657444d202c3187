"""Where the app under test has WebSockets, when it refused one at another path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..plans import plan_of
from ..stash import routes_key

if TYPE_CHECKING:
    import pytest

# Routes of an app that are named.
_ROUTES = 8
# What stands for a value in a route: "{name}" (Starlette, aiohttp), "<name>" (Quart, Django).
_PARAMETER = re.compile(r"(\{[^}]*\}|<[^>]*>)")

# By profile: the path at which the protocol's own software listens, unless it is told another.
_USUAL = {
    "socketio": "/socket.io/",
    "socketio-recovery": "/socket.io/",
    "engineio": "/engine.io/",
    "actioncable": "/cable",
    "phoenix": "/socket/websocket",
    "graphql-transport-ws": "/graphql",
}
# What is answered where there is no WebSocket (by Starlette, for one, 403); other statuses say what is wrong.
_ELSEWHERE = frozenset({200, 400, 403, 404, 405, 426})


def other_routes(item: pytest.Item, path: str) -> tuple[str, str] | None:
    """What an app has in the place of a path, and what to write; None where it has it, or is not known."""
    routes = item.stash.get(routes_key, ())
    if not routes or any(_is_at(route, path) for route in routes):
        return None
    shown = ", ".join(routes[:_ROUTES]) + (", ..." if len(routes) > _ROUTES else "")
    parameters = " and ".join(_PARAMETER.findall(routes[0]))
    values = f" with a value for {parameters}" if parameters else ""
    return f"the app has {shown}, and not {path}", f"ws_stability(url={routes[0]!r}){values}"


def usual_path(item: pytest.Item, path: str, status: int) -> str | None:
    """
    Where the software of a test's protocol has it by default, and what to write.

    None where it was asked there, or where the status of the answer has another reason.

    """
    profile = plan_of(item).profile
    usual = _USUAL.get(profile.name)
    if usual is None or status not in _ELSEWHERE or usual.strip("/").partition("/")[0] in path.split("/"):
        return None
    title = profile.title or profile.name
    return f"{title} is at {usual} by default, and this asked for {path or '/'}: ws_stability(url={usual!r})"


def _is_at(route: str, path: str) -> bool:
    """Whether a path is one of a route, whose parameters stand in brackets; those of paths take slashes."""
    parts = _PARAMETER.split(route)
    # "{x:path}" (Starlette), "<path:x>" (Quart), "{path}" and "{tail}", whose pattern aiohttp does not tell.
    kinds = [".+" if re.search("path|tail", each) else "[^/]+" for each in parts[1::2]]
    pattern = "".join(re.escape(part) + kind for part, kind in zip(parts[::2], [*kinds, ""], strict=True))
    return re.fullmatch(pattern, path) is not None
