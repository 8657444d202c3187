"""
What the controller and the workers of pytest-xdist tell each other, over a channel beside xdist's own.

A worker tells which of its tests hold, what it has judged, and how its holds go; the controller tells it to
stop. xdist takes nothing but reports of tests from a worker, and tells a worker that is busy
nothing at all.

"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from ..core.secret_values import SECRETS
from .registered import registered
from .seams.xdist import on_main_thread
from .stash import settings_key
from .stopping import interrupt_main_thread, is_interrupted

_LINKS, _CONTROLLER = "wsstability-links", "wsstability-controller"
_INTERRUPT = "interrupt"
# The key of the mapping that xdist sends to a worker at its start.
_INPUT = "wsstability"
_PACKAGE = __name__.partition(".")[0]


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


@contextmanager
def telling_refusal(session: pytest.Session) -> Iterator[None]:
    """
    Let the controller say why a worker that raises an error of usage in here begins no test.

    xdist tells of no such error, but ends the session for the reason that a worker gives. pytest alone tells
    the error itself.

    """
    try:
        yield
    except pytest.UsageError as exc:
        session.shouldstop = str(exc)
        raise


# On the controller.


class WorkerLink:
    """One worker, as the controller hears it. What it says arrives on a thread of execnet's."""

    def __init__(self, name: str, number: int, channel: Any) -> None:
        self.name = name
        # How many workers were started before it.
        self.number = number
        # How many of its tests hold nothing, and come first, and the group of each that holds; None where it
        # has none of these.
        self.soaks: tuple[int, list[int]] | None = None
        # It has nothing more to say; and whether it said so itself, and did not die.
        self.over = threading.Event()
        self.is_complete = False
        self.channel = channel
        self._received: deque[tuple[str, Any]] = deque()

    def hear(self, awake: Callable[[], object]) -> None:
        """
        Take down what the worker says from now on.

        Args:
            awake: called, on execnet's thread, when there is something to `take`.

        """

        def said(message: tuple[str, Any] | None) -> None:
            if message is None:
                self.over.set()
                return
            self._received.append(message)
            awake()
            if message[0] == "over":
                self.is_complete = True
                self.over.set()

        self.channel.setcallback(said, endmarker=None)

    def take(self) -> list[tuple[str, Any]]:
        """What was said since the last call: kinds and values."""
        return [self._received.popleft() for _ in range(len(self._received))]

    def stop(self) -> None:
        """Tell the worker to end its holds."""
        _send(self.channel, "stop")

    def interrupt(self) -> None:
        """Have the worker do as with Ctrl-C, which only a terminal sends to all processes."""
        _send(self.channel, _INTERRUPT)


class WorkerLinks:
    """All workers of a run, those that are gone included."""

    def __init__(self, config: pytest.Config) -> None:
        self.started = now()
        self.by_node: dict[Any, WorkerLink] = {}
        self._config = config
        self._failures = 0

    def __iter__(self) -> Iterator[WorkerLink]:
        return iter(self.by_node.values())

    @property
    def dist(self) -> str | None:
        """How tests are distributed; None where nobody but the project's own scheduler knows."""
        makers = self._config.hook.pytest_xdist_make_scheduler.get_hookimpls()
        modules = {each.function.__module__.partition(".")[0] for each in makers}
        dist: str = self._config.getoption("dist")
        return dist if modules <= {"xdist", _PACKAGE} else None

    def welcome(self, node: Any, received: Callable[[WorkerLink], object]) -> None:
        """
        Let a worker that is about to start know which run it belongs to, and listen to it.

        Args:
            node: xdist's controller of the worker.
            received: called on the main thread when it has said something.

        """
        told = node.workerinput
        link = WorkerLink(told["workerid"], len(self.by_node), node.gateway.newchannel())
        self.by_node[node] = link
        told[_INPUT] = {
            "channel": link.channel, "worker": link.name, "number": link.number, "of": told["workercount"],
            "dist": self.dist, "started": self.started, "progress": progress_mode(self._config),
            "machine": platform.node(),
        }  # fmt: skip
        link.hear(on_main_thread(node, lambda: received(link)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._count(report)

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Count failures: where the run stops at one, no worker shall hold on for an hour."""
        limit = self._config.getoption("maxfail")
        if limit and report.failed:
            self._failures += 1
            if self._failures == limit:
                self.stop()

    def stop(self, *, within: float = 0.0) -> None:
        """
        Tell all of them to end their holds, and wait for what they have to say about these.

        Those that have not said it in a third of the time are interrupted: a fleet, or what a test waits for
        itself, asks for nothing meanwhile.

        """
        for link in self:
            link.stop()
        start = time.monotonic()
        self._wait(start + within / 3)
        for link in self:
            if within and not link.over.is_set():
                link.interrupt()
        self._wait(start + within)

    def _wait(self, until: float) -> None:
        for link in self:
            link.over.wait(max(0.0, until - time.monotonic()))


def links_of(config: pytest.Config) -> WorkerLinks:
    """The workers of a run; empty without xdist."""
    return registered(config, _LINKS, lambda: WorkerLinks(config))


# In a worker.


class Controller:
    """The controller of a run, as a worker sees it; one that is deaf without such a channel."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.worker: str = told.get("worker", "")
        self.number: int = told.get("number", 0)
        self.workers: int = told.get("of", 1)
        # None where nobody knows how tests are distributed.
        self.dist: str | None = told.get("dist")
        self.started: str = told.get("started", "")
        self.progress: str = told.get("progress", "off")
        self.is_on_this_machine: bool = told.get("machine") == platform.node()
        # It has said so: in another process something has happened that ends the run.
        self.stopped = False
        # This process does what is done at the end, and is not to be interrupted any more.
        self.is_leaving = False
        self._channel = told.get("channel")
        if self._channel is not None:
            self._channel.setcallback(self._stop)

    def _stop(self, how: object) -> None:
        self.stopped = True
        if how == _INTERRUPT and not self.is_leaving and not is_interrupted():
            interrupt_main_thread()

    def tell(self, kind: str, value: Any = None) -> None:
        """Say something; nobody listens where the controller is gone."""
        if self._channel is not None:
            _send(self._channel, (kind, value))


def controller_of(config: pytest.Config) -> Controller | None:
    """The controller of this worker; None in a process that is none."""
    if not is_worker(config):
        return None
    told = config.workerinput.get(_INPUT, {})  # type: ignore[attr-defined]
    return registered(config, _CONTROLLER, lambda: Controller(told))


def tell_secrets(config: pytest.Config, *, first: bool = False) -> None:
    """
    Let the controller know what this worker was given, because it shows what others write.

    Args:
        config: this worker's.
        first: whether it is told though nothing was given yet: what shows itself is to be hidden there too.

    """
    controller = controller_of(config)
    if controller is not None and ((news := SECRETS.news()) or first):
        controller.tell("secrets", json.dumps(news))


def progress_mode(config: pytest.Config) -> str:
    """How progress is shown: ``tty``, ``lines`` or ``off``; a worker is told."""
    if (controller := controller_of(config)) is not None:
        return controller.progress
    mode = config.stash[settings_key].progress
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if mode == "off" or reporter is None:
        return "off"
    if mode != "auto":
        return mode
    if config.option.verbose < -1:
        return "off"
    # Another reporter may draw what we know nothing of.
    plain = type(reporter) is pytest.TerminalReporter and reporter.isatty
    return "tty" if plain and not os.environ.get("CI") and os.environ.get("TERM") != "dumb" else "lines"


def now() -> str:
    """The time of day, as reports write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _send(channel: Any, message: Any) -> None:
    # Where the other end is gone, it needs no telling.
    with suppress(OSError):
        channel.send(message)
