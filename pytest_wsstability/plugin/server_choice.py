"""Which server serves the app under test: the ``ws_server`` marker, then the ini option."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ..net.apps.kinds import AppError
from ..net.apps.serving import SERVERS, ServerChoice, check_settings, find_server, is_installed
from .markers import SERVER, closest_first
from .stash import settings_key

if TYPE_CHECKING:
    import pytest

# It installs the one reactor of Twisted, and so runs in a process of its own.
DAPHNE = "daphne"


def server_of(node: pytest.Item | pytest.Collector) -> ServerChoice:
    """
    The server of a test, class or module: what the closest marker says, then those further out, then the ini.

    Settings of one server are not handed to another.

    Raises:
        TypeError, ValueError: for a marker that makes no sense.

    """
    name: str | None = None
    settings: dict[str, Any] = {}
    found = [_of_marker(mark) for mark in closest_first(node, SERVER)]
    text = node.config.stash[settings_key].server
    for choice in [*found, *([parse_server(text)] if text else [])]:
        if name is not None and choice.name not in (None, name):
            break
        name = name or choice.name
        settings = {**choice.settings, **settings}
    return ServerChoice(name, settings)


def check_server(node: pytest.Item) -> None:
    """
    See what is wrong with the server of a test, as far as that is known without its app.

    Raises:
        TypeError, ValueError: for a server that there is not, or a setting that it does not have.

    """
    choice = server_of(node)
    if choice.name is not None and choice.name != DAPHNE and is_installed(find_server(choice.name)):
        check_settings(choice.name, choice.settings, SERVERS[choice.name].settings())


def parse_server(text: str) -> ServerChoice:
    """
    A server and its settings as the ini file has them: ``uvicorn(ws_ping_interval=20, ws="wsproto")``.

    Raises:
        AppError: for what cannot be read so.

    """
    name, bracket, _ = text.partition("(")
    if not name.strip().isidentifier():
        raise AppError(f"{text!r} is no server; write uvicorn, or uvicorn(ws_ping_interval=20)")
    found = _named(name.strip(), {})
    return ServerChoice(found.name, _settings(text)) if bracket else found


def _settings(text: str) -> dict[str, Any]:
    """The settings of a server in brackets; nothing of them is run."""
    try:
        call = ast.parse(text.strip(), mode="eval").body
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Name)
        assert not call.args
        return {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg is not None}
    except (SyntaxError, ValueError, AssertionError):
        raise AppError(
            f"{text!r}: its settings have names, and values as in Python: "
            "uvicorn(ws_ping_interval=20, ws='wsproto')"
        ) from None


def _of_marker(mark: pytest.Mark) -> ServerChoice:
    if len(mark.args) > 1 or not all(isinstance(name, str) for name in mark.args):
        raise TypeError(
            f"{SERVER}: takes the name of one server, then settings by keyword, not {mark.args!r}"
        )
    if not mark.args and not mark.kwargs:
        raise TypeError(
            f"{SERVER}: says nothing; name a server, or give settings: {SERVER}('uvicorn', ws='wsproto')"
        )
    try:
        return _named(mark.args[0] if mark.args else None, dict(mark.kwargs))
    except AppError as exc:
        raise ValueError(f"{SERVER}: {exc}") from None


def _named(name: str | None, settings: dict[str, Any]) -> ServerChoice:
    if name is not None and name != DAPHNE:
        find_server(name)
    return ServerChoice(name, settings)
