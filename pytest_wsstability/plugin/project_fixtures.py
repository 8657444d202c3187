"""Fixtures of the project's: those that stand for ours, and those on which one rests."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from ..core.project_code import FROZEN, is_of_project
from .markers import FIXTURES, fixtures_of, has_pytest_asyncio, is_of_anyio, params_of, uses_us
from .seams.pytest import definitions, is_parameter
from .seams.pytest_asyncio import is_left_alone
from .stash import overrides_key

# How the names of the plugin's modules begin.
_PACKAGE = f"{__name__.partition('.')[0]}."
# How those of plugins begin that give fixtures as parameters.
_LAZY = "pytest_lazy"
# Where the fixtures of the plugin are declared.
_OWN_FIXTURES = f"{__package__}.hooks"


def overrides(name: str, node: pytest.Item | pytest.Collector) -> bool:
    """Whether a fixture of the project's, or a parameter, stands for one of ours; found out once a test."""
    known = node.stash.setdefault(overrides_key, {}) if isinstance(node, pytest.Item) else {}
    if name not in known:
        found = definitions(name, node)
        known[name] = replaces(name, node) or (bool(found) and not _is_ours(found[-1]))
    return known[name]


def hides(name: str, node: pytest.Item | pytest.Collector) -> bool:
    """Whether a fixture of the project's, or a parameter, has the name of one of ours, and rests on none."""
    if replaces(name, node):
        return True
    return overrides(name, node) and not any(
        (each == name and _is_ours(definition)) or _asks_by_name(definition)
        for each, definition in behind(name, node)
    )


def replaces(name: str, node: pytest.Item | pytest.Collector) -> bool:
    """Whether a test, class or module is given a parameter in the place of a fixture."""
    # Those of marks are known before the tests are made, those of hooks from then on.
    return parametrized(node).get(name) is False or is_parameter(name, node)


def replaces_ours(name: str, node: pytest.Item | pytest.Collector) -> bool:
    """Whether a parameter is given in the place of a fixture of ours that the project does not override."""
    found = definitions(name, node)
    return bool(found) and _is_ours(found[-1]) and replaces(name, node)


def parametrized(node: pytest.Item | pytest.Collector) -> dict[str, bool]:
    """
    What the ``parametrize`` marks of a test, class or module give, by name.

    Returns:
        True for a parameter of the fixture with the name (``indirect=``), False for one in its place.

    """
    found: dict[str, bool] = {}
    for mark in node.iter_markers("parametrize"):
        positions = zip(("argnames", "argvalues", "indirect"), mark.args, strict=False)
        arguments: dict[str, Any] = {**dict(positions), **mark.kwargs}
        names, indirect = list(_names(arguments.get("argnames", ()))), arguments.get("indirect", False)
        of_fixtures = names if indirect is True else list(_names(indirect or ()))
        found.update({name: found.get(name, False) or name in of_fixtures for name in names})
    return found


def _names(given: str | Iterable[str]) -> Iterator[str]:
    return (name.strip() for name in (given.split(",") if isinstance(given, str) else given))


def our_fixtures(item: pytest.Item) -> set[str]:
    """The fixtures of ours that a test uses, without what is the project's and only has such a name."""
    return {name for name in FIXTURES.intersection(fixtures_of(item)) if not hides(name, item)}


def imports_us(names: Iterable[str], item: pytest.Item) -> bool:
    """Whether the module of a test, of one of these fixtures, or of one behind them imports the plugin."""
    functions: list[Any] = [getattr(item, "function", None)]
    own = [name for name in names if overrides(name, item) and not replaces(name, item)]
    functions += [definition.func for name in own for _, definition in behind(name, item)]
    values = (
        value
        for function in functions
        for value in getattr(inspect.unwrap(function), "__globals__", {}).values()
        # Nothing else is looked at: a proxy may do anything when it is asked, even for its class.
        if type(value) in (ModuleType, FunctionType) or issubclass(type(value), type)
    )
    return any(
        f"{value.__name__ if type(value) is ModuleType else value.__module__}.".startswith(_PACKAGE)
        for value in values
    )


def set_up_after(first: str, item: pytest.Item) -> list[str]:
    """The fixtures of the project's that a test takes itself, and that are set up after another one."""
    function = getattr(item, "function", None)
    taken = list(inspect.signature(function).parameters) if function is not None else []
    if first not in taken:
        return []
    names = fixtures_of(item)
    # Those used by everybody come first.
    before = [*names[: names.index(first)], first]
    used = {name for each in before for name, _ in behind(each, item)}
    return [name for name in taken if name not in used and _is_of_project(definitions(name, item))]


def _is_of_project(known: Sequence[pytest.FixtureDef[Any]]) -> bool:
    # Wider ones are set up earlier, and a parameter has none.
    if not known or known[-1].scope != "function":
        return False
    code = _code_of(known[-1])
    return is_of_project(FROZEN if code is None else code.co_filename)


def leaves(node: pytest.Item | pytest.Collector) -> bool:
    """
    Whether an overridden ``ws_url`` leads out of this process.

    A fixture that is async, or uses one that is, starts its server on the test's loop; another one
    names a server that runs elsewhere. A parameter may name that of any async fixture of the test, or
    the reference server that it asks for.

    """
    if isinstance(node, pytest.Item) and replaces("ws_url", node):
        return "ws_orchestrator" not in our_fixtures(node) and not has_async_fixture(node)
    return not any(
        (name == "ws_url" and _is_ours(definition)) or name == "ws_orchestrator" or _is_async(definition)
        for name, definition in behind("ws_url", node)
    )


def async_url(item: pytest.Item) -> tuple[str, pytest.FixtureDef[Any]] | None:
    """The async fixture with which an overridden ``ws_url`` runs its server; None if there is none."""
    return next((found for found in behind("ws_url", item) if _is_async(found[1])), None)


def has_async_fixture(item: pytest.Item) -> bool:
    """Whether a test uses an async fixture of the project's, which may run a server on the test's loop."""
    plugins = (_PACKAGE.rstrip("."), "pytest_asyncio")
    return any(
        _is_async(each) and each.func.__module__.partition(".")[0] not in plugins for each in _used_by(item)
    )


def _used_by(item: pytest.Item) -> list[pytest.FixtureDef[Any]]:
    """The fixtures that a test uses, as they count for it."""
    return [known[-1] for name in fixtures_of(item) if (known := definitions(name, item))]


@contextmanager
def naming_unhandled(item: pytest.Item) -> Iterator[None]:
    """Let a setup that fails because nobody has set an async fixture up say which one, and what to write."""
    try:
        yield
    except (Exception, pytest.fail.Exception) as error:
        if not uses_us(item) or (name := _unhandled(item, error)) is None:
            raise
        raise pytest.fail.Exception(
            f"the fixture {name!r} is async, and pytest-asyncio in its strict mode leaves it alone: write "
            "@pytest_asyncio.fixture before it, or asyncio_mode = auto into the ini file",
            pytrace=False,
        ) from None


def _unhandled(item: pytest.Item, error: BaseException) -> str | None:
    """The async fixture that failed because nobody has set it up; None if there is none."""
    if not has_pytest_asyncio(item.config) or is_of_anyio(item):
        return None
    # Later ones fail where they set it up, and from the next test on assert.
    failed = _failed_in(error)
    found = [failed] if failed is not None else []
    if isinstance(error, pytest.fail.Exception):
        # pytest 8 gives what the function returns, to a fixture of ours too.
        ours = FIXTURES.intersection(fixtures_of(item))
        found += [each for name in sorted(ours) for _, each in behind(name, item) if _gives_awaitable(each)]
    return next(
        (each.argname for each in found if _is_async(each) and is_left_alone(each, item.config)), None
    )


def _failed_in(error: BaseException) -> pytest.FixtureDef[Any] | None:
    """The fixture whose setup pytest itself has refused; None where anything else raised."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    # Where `pytest.fail` was called, not where it raises.
    places = [each for each in frames if each.f_globals.get("__name__") != "_pytest.outcomes"]
    if not places or places[-1].f_globals.get("__name__") != "_pytest.fixtures":
        return None
    # What has the fixture as its first argument sets it up; what has a request looks it up (ScopeMismatch).
    first = next(iter(places[-1].f_locals.values()), None)
    return first if isinstance(first, pytest.FixtureDef) else None


def _gives_awaitable(definition: pytest.FixtureDef[Any]) -> bool:
    cached = definition.cached_result
    return cached is not None and (inspect.isawaitable(cached[0]) or inspect.isasyncgen(cached[0]))


def _is_ours(definition: pytest.FixtureDef[Any]) -> bool:
    return definition.func.__module__ == _OWN_FIXTURES


def may_ask_by_name(item: pytest.Item) -> bool:
    """Whether a test, or a fixture of the project's, may ask for fixtures that pytest does not see it use."""
    function = getattr(item, "function", None)
    if function is not None and "request" in inspect.signature(function).parameters:
        return True
    if any(type(value).__module__.startswith(_LAZY) for value in params_of(item).values()):
        return True
    asking = (each for each in _used_by(item) if "request" in each.argnames)
    codes = [code for each in asking if (code := _code_of(each)) is not None]
    return any(is_of_project(code.co_filename) or _names_ours(code) for code in codes)


def _names_ours(code: CodeType) -> bool:
    """Whether an installed plugin's fixture has a name of ours in it, as that of a team's own plugin may."""
    nested = (each for each in code.co_consts if isinstance(each, CodeType))
    return not FIXTURES.isdisjoint(code.co_consts) or any(map(_names_ours, nested))


def _asks_by_name(definition: pytest.FixtureDef[Any]) -> bool:
    """Whether a fixture calls `request.getfixturevalue`: for what it asks is known when it runs."""
    code = _code_of(definition)
    return code is not None and "getfixturevalue" in code.co_names


def _code_of(definition: pytest.FixtureDef[Any]) -> CodeType | None:
    """None of a function that is not written in Python."""
    code: CodeType | None = getattr(inspect.unwrap(definition.func), "__code__", None)
    return code


def _is_async(definition: pytest.FixtureDef[Any]) -> bool:
    return inspect.iscoroutinefunction(definition.func) or inspect.isasyncgenfunction(definition.func)


def behind(asked: str, node: pytest.Item | pytest.Collector) -> Iterator[tuple[str, pytest.FixtureDef[Any]]]:
    """The fixtures on which one rests, by name, itself first."""
    # A fixture that asks for its own name gets the one that it overrides: one further up.
    pending, seen = [(asked, 1)], set()
    while pending:
        name, up = found = pending.pop()
        known = definitions(name, node)
        if found in seen or up > len(known):
            continue
        seen.add(found)
        definition = known[-up]
        yield name, definition
        pending += [(each, up + 1 if each == name else 1) for each in definition.argnames]
