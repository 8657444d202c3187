"""What every test finds."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import functools
import gc
import importlib
import importlib.metadata
import inspect
import itertools
import os
import sys
import types
import warnings
import weakref

import pytest
from hypothesis import settings

from pytest_wsstability.core.secret_values import SECRETS, SecretValues

# pytester forgets the modules that a run inside has imported. A second copy of aiohttp or httptools shares
# its compiled parser with the first, and then takes text for bytes, or raises what nobody catches; one of
# tornado takes the other's answers for none. Nor may there be two of our own classes. Loaded here, they are
# nobody's to forget, and each run costs milliseconds.
LOADED = (
    "aiohttp.web", "fastapi", "httptools", "tornado.platform.asyncio", "tornado.websocket", "uvicorn",
    "pytest_wsstability.plugin.running",
)  # fmt: skip
for name in LOADED:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)


class Installed:
    """A distribution, of which each file is read and parsed once."""

    def __init__(self, found):
        self._found = found

    def __getattr__(self, name):
        value = getattr(self._found, name)
        setattr(self, name, value)
        return value


# Each run inside asks all that is installed for its plugins, its name and its files, several times.
INSTALLED = [Installed(each) for each in importlib.metadata.distributions()]
importlib.metadata.distributions = lambda: iter(INSTALLED)


# Each run inside has the whole file of each frame parsed that it formats, those of pytest's own among them.
with contextlib.suppress(ImportError):
    formatting = importlib.import_module("_pytest._code.source")
    formatting.ast = types.SimpleNamespace(
        **vars(ast) | {"parse": functools.lru_cache(maxsize=32)(ast.parse)}
    )


# Each run inside looks at every name of every plugin for hooks and for fixtures; those of installed ones stay
# what they are. Ours are looked at each time, as a user's run does.
PLUGINS = {"_pytest"} | {
    each.module.partition(".")[0] for each in importlib.metadata.entry_points(group="pytest11")
} - {"pytest_wsstability"}  # fmt: skip
# A module that a run inside loads and forgets knows the run that loaded it.
NAMES = weakref.WeakKeyDictionary()


def names_that_matter(owner):
    """The names of a plugin's module or class that pytest makes something of."""
    found = {name: inspect.getattr_static(owner, name, None) for name in dir(owner)}
    # Those of pluggy have a project's name before them: allure has hooks of its own.
    marks = ("_impl", "_spec", "_fixture_function_marker")
    return [
        name
        for name, value in found.items()
        if name.startswith("pytest_") or any(mark.endswith(marks) for mark in getattr(value, "__dict__", ()))
    ]


def names_of(*holder):
    """What `dir` gives, and of installed plugins what matters."""
    owner = holder[0] if isinstance(holder[0], types.ModuleType) else type(holder[0])
    home = owner.__name__ if owner is holder[0] else owner.__module__
    if home.partition(".")[0] not in PLUGINS:
        return dir(*holder)
    if owner not in NAMES:
        NAMES[owner] = names_that_matter(owner)
    return NAMES[owner]


for name in ("_pytest.fixtures", "pluggy._manager"):
    importlib.import_module(name).dir = names_of


# Beside xdist, pytest-rerunfailures starts a server for each run, and ends none: a thousand runs inside would
# leave a thousand threads, at which virtual time looks before each move of its clock.
with contextlib.suppress(ImportError):
    reruns = importlib.import_module("pytest_rerunfailures")

    class CountsOnDemand(reruns.ServerStatusDB):
        """Has no server before a worker is told its port."""

        def __init__(self):
            reruns.StatusDB.__init__(self)
            self.rerunfailures_db = {}

        def __getattr__(self, name):
            if name not in ("sock", "token"):
                raise AttributeError(name)
            super().__init__()
            return vars(self)[name]

    reruns.ServerStatusDB = CountsOnDemand


# The suite looks at the same examples each time: a find belongs into `@example`, not into somebody else's CI.
# `make fuzz` asks for more of them, and for others.
settings.register_profile("suite", derandomize="WSSTABILITY_EXAMPLES" not in os.environ)
settings.load_profile("suite")

# Seconds for tests that hold connections for minutes, or run servers of other makers.
LONG = 1200


def pytest_collection_modifyitems(items):
    """Give tests that take minutes more time than pyproject.toml gives each test."""
    for item in items:
        long = any(map(item.get_closest_marker, ("soak", "servers")))
        if long and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LONG))


def freeze():
    """
    Leave out of all later collections the tests, and what they have loaded: thousands of objects that stay.

    At the end of each run inside pytest collects all garbage, before 9.0 five times.

    """
    gc.collect()
    gc.freeze()


def pytest_collection_finish():
    """Keep no bytecode any more: of two files that are written within a second, the older would count."""
    freeze()
    sys.dont_write_bytecode = True


FINISHED = itertools.count(1)


def pytest_runtest_logfinish():
    """Some tests load what stays: one collection in fifty tests, for one after each that is as long."""
    if next(FINISHED) % 50 == 0:
        freeze()


@pytest.fixture(autouse=True)
def no_secrets_of_others():
    """What one test gives is no secret in the next: here a run stands for many."""
    before = vars(SECRETS).copy()
    vars(SECRETS).update(vars(SecretValues()))
    yield
    vars(SECRETS).update(before)


@pytest.fixture(scope="session", autouse=True)
def no_current_loop():
    """looptime, and pytest-asyncio before 1.2, ask for a current loop, and so make one that nobody closes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with contextlib.suppress(RuntimeError):
            asyncio.get_event_loop().close()
    asyncio.set_event_loop(None)
