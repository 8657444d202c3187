"""What an application is: which protocol its server speaks to it."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import Any

from ...core.functions import is_coroutine_function


class AppError(ValueError):
    """An application, or its server, is not what it should be, or did not start."""


class AppTimeout(AppError):
    """An application was not there in time."""


class AppKind(Enum):
    """Who calls an application, and how."""

    ASGI = "an ASGI app"
    AIOHTTP = "an aiohttp.web.Application"
    TORNADO = "a tornado.web.Application"
    HANDLER = "a handler of websockets"


# Where the class of an application is defined. By name: nothing is loaded to ask, and a module that was
# taken out of sys.modules since (pytester does, after each run) leaves its classes in use.
_CLASSES = {
    ("aiohttp.web_app", "Application"): AppKind.AIOHTTP,
    ("tornado.web", "Application"): AppKind.TORNADO,
}
# Positional parameters: (scope, receive, send), and (environ, start_response).
_ASGI, _WSGI = 3, 2
_VALID = ", ".join(kind.value for kind in AppKind)


def kind_of(app: Any) -> AppKind:
    """
    What an application is.

    Raises:
        AppError: if it is none, saying what it is.

    """
    for cls in type(app).__mro__:
        if kind := _CLASSES.get((cls.__module__, cls.__qualname__)):
            return kind
    if not callable(app):
        raise AppError(
            f"{_shown(app)} is no app; give {_VALID}; what has a server of its own runs by --ws-command"
        )
    if inspect.isclass(app):
        raise AppError(f"{_shown(app)} is a class; give an instance of it, or a factory as 'module:name()'")
    names = _required(app)
    count = None if names is None else len(names)
    if count == _ASGI:
        return AppKind.ASGI
    if count == 1 and is_coroutine_function(app):
        return AppKind.HANDLER
    if count == 0:
        raise AppError(
            f"{_shown(app)} takes no argument: if it makes the app, write 'module:name()', or call it in the "
            "fixture ws_app"
        )
    if names and count == _WSGI and (names[0].startswith("env") or not inspect.isroutine(app)):
        raise AppError(
            f"{_shown(app)} is a WSGI app, which has no WebSockets of its own; give {_VALID}; one that has "
            "them from flask-sock or the like runs by --ws-command"
        )
    takes = " and ".join(names or ())
    made = f"; if it makes the app from {takes}, give what it makes by a fixture ws_app" if takes else ""
    sync = "; a handler of websockets is 'async def', and one of websockets.sync runs by --ws-command"
    raise AppError(
        f"{_shown(app)} is no app that takes (scope, receive, send) or (connection){made}"
        f"{sync if count == 1 else ''}; give {_VALID}"
    )


def _required(app: Any) -> list[str] | None:
    """The positional arguments that a callable takes; None where it does not tell."""
    try:
        parameters = inspect.signature(app, follow_wrapped=False).parameters.values()
        if parameters and all(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters):
            # A decorator that passes on whatever it is given. Channels' apps are functions that claim to wrap
            # a class, and take what they say themselves.
            parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = [
        each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    return [each.name for each in positional if each.default is each.empty]


def _shown(app: Any) -> str:
    name = getattr(app, "__qualname__", None)
    return name if isinstance(name, str) else f"a {type(app).__module__}.{type(app).__qualname__}"
