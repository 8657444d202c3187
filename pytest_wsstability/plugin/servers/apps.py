"""The app under test: named by ``module:name`` or given by ``ws_app``, and served on a test's loop."""

from __future__ import annotations

import asyncio
import importlib
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import pytest

from ...core.url import join
from ...net.apps.kinds import AppError, kind_of, routes_of
from ...net.apps.serving import serving
from ..plans import base_target_of, plan_of
from ..server_choice import DAPHNE, server_of
from ..stash import app_key, routes_key

_EXAMPLE = "write module:name, or module:factory()"


class AppSource(NamedTuple):
    """Where the app of a test comes from."""

    make: Callable[[], Any]
    # Whether each call makes a new one, that can be served again.
    is_factory: bool
    # For messages.
    name: str


def source_of(request: pytest.FixtureRequest) -> AppSource:
    """
    Where the app of a test comes from: the option's module, or the fixture ``ws_app``.

    Not to be called while a loop runs, as that fixture may be async.

    """
    spec = base_target_of(request.node).value
    if spec:
        return load(request.config, spec)
    app = request.getfixturevalue("ws_app")
    return AppSource(lambda: app, is_factory=False, name="ws_app")


def load(config: pytest.Config, spec: str) -> AppSource:
    """
    The app that ``module:name`` or ``module:factory()`` names; the module is imported once.

    Raises:
        AppError: for what names none, with what to write; with the place where its import failed.

    """
    if config.stash.get(app_key, (None, None))[0] != spec:
        config.stash[app_key] = spec, _found(config, spec)
    found: Any = config.stash[app_key][1]
    if not spec.endswith("()"):
        return AppSource(lambda: found, is_factory=False, name=spec)
    return AppSource(lambda: _made(found, spec), is_factory=True, name=spec)


def check_app(item: pytest.Item) -> None:
    """
    See that the app of the options is one, and that its server can serve it.

    Raises:
        AppError: if not.

    """
    spec, choice = base_target_of(item).value, server_of(item)
    if spec and choice.name != DAPHNE:
        source = load(item.config, spec)
        # What a factory makes is seen when it is called.
        if not source.is_factory and choice.name is None:
            choice.of(kind_of(source.make()))


@asynccontextmanager
async def served(item: pytest.Item, source: AppSource) -> AsyncIterator[str]:
    """
    Serve the app of a test on the running loop.

    Yields:
        Its URL, with the path that the test's marker says.

    Raises:
        pytest.fail.Exception: if it cannot be served.

    """
    async with AsyncExitStack() as stack:
        wrong = None
        try:
            app = source.make()
            base = await stack.enter_async_context(serving(app, server_of(item)))
            item.stash[routes_key] = routes_of(app)
        except AppError as error:
            wrong = f"{item.nodeid}: {error}"
        if wrong is not None:
            # Out of the handler: the message is told once.
            pytest.fail(wrong, pytrace=False)
        yield join(base, plan_of(item).path or "/")


def _found(config: pytest.Config, spec: str) -> Any:
    module_name, colon, name = spec.removesuffix("()").partition(":")
    if not colon or not module_name or not name or "(" in name:
        raise AppError(f"{spec!r} names no app; {_EXAMPLE}")
    # As ``python -m pytest`` and the servers themselves have it.
    here = str(config.invocation_params.dir)
    if here not in sys.path:
        sys.path.insert(0, here)
    found: Any = _imported(module_name)
    for part in name.split("."):
        if not hasattr(found, part):
            names = (
                [each for each in vars(found) if not each.startswith("_")]
                if hasattr(found, "__dict__")
                else []
            )
            raise AppError(f"{module_name} has no {name!r} (it has {', '.join(sorted(names)[:20])})")
        found = getattr(found, part)
    return found


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name == name or name.startswith(f"{exc.name}."):
            raise AppError(
                f"there is no module {exc.name!r} in {sys.path[0]} or on sys.path; {_EXAMPLE}"
            ) from None
        raise AppError(_failed(f"importing {name}", exc)) from exc
    except Exception as exc:
        raise AppError(_failed(f"importing {name}", exc)) from exc


def _made(factory: Any, spec: str) -> Any:
    try:
        app = factory()
    except Exception as exc:
        raise AppError(_failed(f"calling {spec}", exc)) from exc
    if asyncio.iscoroutine(app):
        app.close()
        raise AppError(f"{spec} is a coroutine function; override the fixture ws_app with an async fixture")
    return app


def _failed(what: str, exc: BaseException) -> str:
    """The error and the line that raised it."""
    frames = traceback.extract_tb(exc.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{what} failed{place}: {type(exc).__name__}: {exc}"
