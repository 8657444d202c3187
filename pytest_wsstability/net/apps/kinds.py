"""What an application is: which protocol its server speaks to it."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import Any


class AppError(ValueError):
    """An application, or its server, is not what it should be, or did not start."""


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
        raise AppError(f"{_shown(app)} is no app; give {_VALID}")
    if inspect.isclass(app):
        raise AppError(f"{_shown(app)} is a class; give an instance of it, or a factory as 'module:name()'")
    count = _required(app)
    if count == _ASGI:
        return AppKind.ASGI
    if count == 1 and _is_coroutine_function(app):
        return AppKind.HANDLER
    if count == 0:
        raise AppError(f"{_shown(app)} takes no argument: if it makes the app, write 'module:name()'")
    if count == _WSGI:
        raise AppError(f"{_shown(app)} is a WSGI app, which has no WebSockets; give {_VALID}")
    raise AppError(
        f"{_shown(app)} is no app that takes (scope, receive, send) or (connection); give {_VALID}"
    )


def _required(app: Any) -> int | None:
    """How many positional arguments a callable takes; None where it does not tell."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return None
    positional = [
        each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    return sum(each.default is each.empty for each in positional)


def _is_coroutine_function(app: Any) -> bool:
    # A method of an instance may be the handler too.
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004


def _shown(app: Any) -> str:
    name = getattr(app, "__qualname__", None)
    return name if isinstance(name, str) else f"a {type(app).__module__}.{type(app).__qualname__}"
