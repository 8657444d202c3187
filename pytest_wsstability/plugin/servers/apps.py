"""The app under test: named by ``module:name`` or given by ``ws_app``, and served on a test's loop."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from ...core.project_code import place_of
from ...core.redact import show_text
from ...core.url import join
from ...net.apps.exits import without_exits
from ...net.apps.kinds import AppError, AppTimeout, kind_of
from ...net.apps.routes import routes_of
from ...net.apps.serving import STARTUP, serving
from ...net.apps.watching import AppRecord
from ..import_path import import_from_here
from ..margins import StabilityWarning
from ..plans import base_target_of, is_virtual, plan_of
from ..server_choice import DAPHNE, server_of
from ..slow import SLOW, told_if_slow
from ..stash import (
    app_key,
    app_record_key,
    app_stop_key,
    routes_key,
    server_log_key,
    started_app_key,
    unserved_key,
)
from .logs import own_error, raised_words
from .output import stopping

_EXAMPLE = "write module:name, or module:factory()"
_SERVES = "what reads arguments, or serves, belongs under if __name__ == '__main__'"
_SRC = "install it (pip install -e .), or write 'pythonpath = src' into the ini file"
# Where `os.environ` raises for a variable that is not set: its code is frozen into the interpreter.
_ENVIRON = os.environ.__class__.__getitem__.__code__.co_filename
# Virtual time waits for jobs of executors, and for no thread that it does not know.
_VIRTUAL = (
    "; that was virtual time, which waits for no thread of the app's own, such as that of aiosqlite: run "
    "with --ws-time real"
)
# Sanic, and the session managers of others, start once.
_AGAIN = (
    "; the same app was started in a test before: if it starts once only, give a function that makes one, "
    "--ws-app module:create_app(), or make it in the fixture ws_app"
)
# Sanic keeps the names of its apps.
_MADE_BEFORE = (
    "; it made an app for a test before, and what it registers outside of the app stays: let it register "
    "that once (Sanic: Sanic.test_mode = True, at the top of conftest.py)"
)


class AppSource(NamedTuple):
    """Where the app of a test comes from."""

    # Gives it, or a coroutine that does.
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
    if app is None:
        pytest.fail("the fixture ws_app gave None; let it return the app", pytrace=False)
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
    item.stash[app_record_key] = record = AppRecord(raised=item.stash[server_log_key].raised)
    wrong, app, before = None, None, item.config.stash.get(started_app_key, None)
    try:
        with without_exits():
            app = await _awaited(source)
        manager = serving(app, server_of(item), record=record)
        base = await manager.__aenter__()
    except AppError as error:
        why = "" if record.failed is None else f"its lifespan failed: {_told(record.failed)}; "
        wrong = f"{why}{error}{_VIRTUAL if isinstance(error, AppTimeout) and is_virtual(item) else ''}"
        if why and app is before:
            wrong += _AGAIN
        elif app is None and source.is_factory and before is not None:
            wrong += _MADE_BEFORE
    if wrong is not None:
        item.stash[unserved_key] = wrong
        # Out of the handler: the message is told once.
        pytest.fail(wrong, pytrace=False)
    item.config.stash[started_app_key] = app
    # One without a lifespan may have failed in it.
    record.failed = None
    record.port = urlsplit(base).port
    is_cut = False
    try:
        item.stash[routes_key] = routes_of(app)
        yield join(base, plan_of(item).path or "/")
    except asyncio.CancelledError:
        # What the loop ran was given up, and the app's lifespan with it.
        is_cut = True
        raise
    finally:
        try:
            with stopping(item):
                await manager.__aexit__(None, None, None)
        except AppError as error:
            place = "" if error.__cause__ is None else place_of(error.__cause__)
            item.stash[app_stop_key] = f"{error}{place}"
        if record.failed is not None and not is_cut:
            item.stash[app_stop_key] = f"the app's lifespan failed at its end: {_told(record.failed)}"


def warn_of_stop(item: pytest.Item) -> None:
    """
    Warn of an app that did not stop as it should.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    if (text := item.stash.get(app_stop_key, None)) is not None:
        item.warn(StabilityWarning(f"{item.nodeid}: {text}"))


async def _awaited(source: AppSource) -> Any:
    """The app of a source; a factory may be a coroutine function."""
    app = source.make()
    if not asyncio.iscoroutine(app):
        return app
    limit = asyncio.timeout(STARTUP)
    try:
        async with limit:
            return await app
    except (Exception, SystemExit) as exc:
        if limit.expired():
            raise AppTimeout(
                f"{source.name} gave no app within {STARTUP:.0f} s; name what makes it, not what serves it"
            ) from None
        raise AppError(_failed(f"calling {source.name}", exc)) from exc


def _told(failed: BaseException | str) -> str:
    """How a lifespan failed; a message may be a whole traceback, whose last line says it."""
    if isinstance(failed, BaseException):
        error = own_error(failed)
        return f"{raised_words(error)}{place_of(error)}"
    # Python draws a margin before what it prints of a group, and a line below it.
    lines = [line.strip(" |") for line in failed.splitlines() if line.strip(" |+-")]
    return show_text(lines[-1] if lines else failed)


def _found(config: pytest.Config, spec: str) -> Any:
    module_name, colon, name = spec.removesuffix("()").partition(":")
    if not colon or not module_name or not name or "(" in name:
        given = "; one that takes arguments is called by a fixture ws_app" if "(" in name else ""
        raise AppError(f"{spec!r} names no app; {_EXAMPLE}{given}")
    here = config.invocation_params.dir
    if _is_path(module_name, here):
        told = f"such as {_module_at(module_name, here)}:{spec.partition(':')[2]}"
        raise AppError(f"{spec!r} names a file; {_EXAMPLE}, {told}")
    import_from_here(config)
    slow = f"importing {module_name} takes {SLOW:.0f} s so far; {_SERVES}"
    with told_if_slow(config, slow), without_exits():
        found: Any = _imported(module_name, here)
    for part in name.split("."):
        if not hasattr(found, part):
            raise AppError(f"{module_name} has no {name!r}{_instead(found, module_name)}")
        found = getattr(found, part)
    return found


def _is_path(module: str, here: Path) -> bool:
    return "/" in module or "\\" in module or (module.endswith(".py") and (here / module).is_file())


def _module_at(path: str, here: Path) -> str:
    """The module in a file, by its place below a folder that modules are imported from, else by its name."""
    file = Path(os.path.normpath(here / path.replace("\\", "/").removesuffix(".py")))
    return ".".join(file.relative_to(here).parts) if file.is_relative_to(here) else file.name


def _instead(found: Any, module_name: str) -> str:
    """What may have been meant: the apps of a module, else its names."""
    names = {name: value for name, value in getattr(found, "__dict__", {}).items() if name[0] != "_"}
    apps = [name for name, value in names.items() if _is_app(value)]
    if apps:
        return f"; write {' or '.join(f'{module_name}:{name}' for name in apps[:3])}"
    return f" (it has {', '.join(sorted(names)[:20])})"


def _is_app(value: Any) -> bool:
    try:
        kind_of(value)
    except AppError:
        return False
    return True


def _imported(name: str, here: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name == name or name.startswith(f"{exc.name}."):
            top = name.partition(".")[0]
            sources = here / "src"
            is_there = (sources / top).is_dir() or (sources / f"{top}.py").is_file()
            advice = f"src/{top} is there: {_SRC}" if is_there else _EXAMPLE
            raise AppError(f"there is no module {exc.name!r} in {here} or on sys.path; {advice}") from None
        raise AppError(_failed(f"importing {name}", exc)) from exc
    except (Exception, SystemExit) as exc:
        raise AppError(_failed(f"importing {name}", exc)) from exc


def _made(factory: Any, spec: str) -> Any:
    if names := _required(factory):
        raise AppError(
            f"{spec} is called without arguments, and takes {' and '.join(names)}: give what it makes by a "
            "fixture ws_app"
        )
    try:
        return factory()
    except (Exception, SystemExit) as exc:
        raise AppError(_failed(f"calling {spec}", exc)) from exc


def _required(factory: Any) -> list[str]:
    """The arguments that have to be given to a factory."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.default is each.empty and each.kind not in variable]


def _failed(what: str, exc: BaseException) -> str:
    """The error, the project's line that raised it, and what to do where that is known."""
    advice = ""
    if isinstance(exc, KeyError) and traceback.extract_tb(exc.__traceback__)[-1].filename == _ENVIRON:
        advice = f"; set the variable {exc.args[0]}, in the shell or at the top of conftest.py"
    elif isinstance(exc, SystemExit):
        advice = f"; {_SERVES}"
    # Its own words have the place, and no line of the project has run.
    place = "" if isinstance(exc, SyntaxError) else place_of(exc)
    return f"{what} failed: {raised_words(exc)}{place}{advice}"
