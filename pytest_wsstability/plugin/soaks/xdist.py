"""
Soaks under pytest-xdist: each worker has a group of them, knows it beforehand, and holds it together.

xdist gives tests to workers as these come along, a few at a time, so a worker cannot know which holds it may
start. Here the tests that hold are cut off the end of the collection: xdist's own scheduler sees the others
only, and a worker that it has finished with gets its group of soaks as the last thing.

"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

# What a worker is told at its start, in the mapping that xdist sends.
_INPUT = "wsstability_spread"
_folder_key = pytest.StashKey[Path]()
_count_key = pytest.StashKey[int]()
_failures_key = pytest.StashKey[int]()
# A file beside those of the workers, and the end of the names of what they leave.
_STOP, _LEFT = "stop", ".left"
# Seconds that workers have to end their holds when the run is interrupted.
_LEAVING = 6.0
_PACKAGE = __name__.partition(".")[0]
# What xdist distributes test by test, file by file, ...; with "each" every worker runs everything.
_DISTRIBUTED = frozenset({"load", "worksteal", "loadscope", "loadfile", "loadgroup"})


# On the controller, before a worker starts.


def tell_worker(node: Any) -> None:
    """Tell a worker which group of soaks is its own, and where to say which tests are soaks."""
    config: pytest.Config = node.config
    dist = config.getoption("dist")
    if dist not in _DISTRIBUTED or not _is_local(node) or _is_scheduled_by_others(config):
        node.workerinput[_INPUT] = {"together": dist == "each"}
        return
    if _folder_key not in config.stash:
        config.stash[_folder_key], config.stash[_count_key] = Path(tempfile.mkdtemp(prefix="wsstability-")), 0
        config.add_cleanup(lambda: shutil.rmtree(config.stash[_folder_key], ignore_errors=True))
    number = config.stash[_count_key]
    config.stash[_count_key] += 1
    path = config.stash[_folder_key] / f"{number}.json"
    node.workerinput[_INPUT] = {
        "number": number, "of": node.workerinput["workercount"], "dist": dist, "path": str(path)
    }  # fmt: skip


def _is_local(node: Any) -> bool:
    """Whether all workers see the files of the controller."""
    return all(spec.popen for spec in node.nodemanager.specs)


def _is_scheduled_by_others(config: pytest.Config) -> bool:
    """Whether the project has a scheduler of its own, which nobody but it can know."""
    makers = config.hook.pytest_xdist_make_scheduler.get_hookimpls()
    return any(each.function.__module__.partition(".")[0] not in ("xdist", _PACKAGE) for each in makers)


def around(config: pytest.Config, scheduler: Any) -> Any:
    """The scheduler of a run: xdist's own, with ours around it where the workers were told so."""
    if scheduler is None or _folder_key not in config.stash:
        return scheduler
    # xdist prints the name of the class, and a run without soaks shall read as it always did.
    return type(type(scheduler).__name__, (SoakScheduling,), {})(scheduler)


def note_failure(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport | None) -> None:
    """Count the failures that come in: where the run stops at one, no worker shall hold on for an hour."""
    limit = config.getoption("maxfail")
    if limit and report is not None and report.failed and _folder_key in config.stash:
        config.stash[_failures_key] = config.stash.get(_failures_key, 0) + 1
        if config.stash[_failures_key] >= limit:
            (config.stash[_folder_key] / _STOP).touch()


def left(config: pytest.Config, *, interrupted: bool) -> list[tuple[list[str], str]]:
    """
    What the workers left of holds that no test has judged; see `leave`.

    Args:
        config: of the controller.
        interrupted: the run was: tell workers that have not heard, and wait for them, but not long.

    """
    if _folder_key not in config.stash:
        return []
    folder, count = config.stash[_folder_key], config.stash[_count_key]
    until = time.monotonic()
    if interrupted:
        (folder / _STOP).touch()
        until += _LEAVING
    while len(list(folder.glob(f"*{_LEFT}"))) < count and time.monotonic() < until:
        time.sleep(0.05)
    found = [json.loads(path.read_text()) for path in sorted(folder.glob(f"*{_LEFT}"))]
    return [(each["lines"], each["results"]) for each in found]


# In a worker, or without xdist.


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of xdist."""
    return hasattr(config, "workerinput")


def leave(config: pytest.Config, lines: list[str], results: str) -> None:
    """Leave for the controller what no report will carry."""
    if (path := _told_path(config)) is not None and path.parent.exists():
        written = path.with_suffix(".part")
        written.write_text(json.dumps({"lines": lines, "results": results}))
        # At once, because the controller is looking.
        written.replace(path.with_suffix(_LEFT))


def _told_path(config: pytest.Config) -> Path | None:
    path = getattr(config, "workerinput", {}).get(_INPUT, {}).get("path")
    return Path(path) if path is not None else None


def is_stopped(config: pytest.Config) -> bool:
    """Whether the run has stopped for what another worker has found: xdist tells nobody who is busy."""
    path = _told_path(config)
    return path is not None and (path.parent / _STOP).exists()


@dataclass(frozen=True, slots=True)
class Groups:
    """Which tests start their holds together."""

    # By the test's node id.
    of: dict[str, int]
    # The group of this process; None when it has none of its own.
    own: int | None


def groups(config: pytest.Config, items: Sequence[pytest.Item], ordinary: int) -> Groups:
    """
    Group the tests that hold, and tell the controller if it has asked.

    Args:
        config: of this process.
        items: the tests that hold, in their order.
        ordinary: how many other tests come before them.

    """
    told: dict[str, Any] = getattr(config, "workerinput", {}).get(_INPUT, {"together": True})
    if "path" not in told:
        numbers = [0] * len(items) if told["together"] else list(range(len(items)))
        return Groups(_by_id(items, numbers), 0 if told["together"] else None)
    keys = [_scope(item, told["dist"]) for item in items]
    order = {key: position for position, key in enumerate(dict.fromkeys(keys))}
    numbers = [order[key] % told["of"] for key in keys]
    Path(told["path"]).write_text(json.dumps({"ordinary": ordinary, "groups": numbers}))
    return Groups(_by_id(items, numbers), told["number"] if told["number"] < told["of"] else None)


def _by_id(items: Iterable[pytest.Item], numbers: Iterable[int]) -> dict[str, int]:
    return {item.nodeid: number for item, number in zip(items, numbers, strict=True)}


def _scope(item: pytest.Item, dist: str) -> str:
    """What must stay in one worker, as xdist's modes say it."""
    if dist == "loadfile":
        return item.nodeid.partition("::")[0]
    if dist == "loadscope":
        return item.nodeid.rpartition("::")[0]
    if dist == "loadgroup" and (marker := item.get_closest_marker("xdist_group")) is not None:
        return f"@{marker.args[0] if marker.args else marker.kwargs.get('name', 'default')}"
    return item.nodeid


# On the controller, while the tests run.


@dataclass(slots=True)
class _Worker:
    """What the scheduler knows of a worker."""

    lent: LentNode
    number: int
    # Indices of the soaks that it was given and has not run, in their order.
    pending: list[int] = field(default_factory=list)


class LentNode:
    """A worker as the scheduler inside sees it: told to shut down, it gets its soaks first."""

    def __init__(self, node: Any, finish: Any) -> None:
        self._node = node
        self._finish = finish
        self.finished = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    @property
    def shutting_down(self) -> bool:
        return self.finished or bool(self._node.shutting_down)

    def shutdown(self) -> None:
        if not self.finished:
            self.finished = True
            self._finish(self._node)


class SoakScheduling:
    """A scheduler of pytest-xdist (see ``xdist.scheduler.protocol``) around one of xdist's own."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._workers: dict[Any, _Worker] = {}
        # Ids of all tests, and how many of them are no soaks; empty before the first collection.
        self._ids: list[str] = []
        self._ordinary = 0
        # Soaks that no worker has, by group; and the groups whose worker is gone.
        self._unsent: dict[int, list[int]] = {}
        self._orphans: set[int] = set()
        self._group: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        # What other plugins look at, such as `config`.
        return getattr(self._inner, name)

    @property
    def nodes(self) -> list[Any]:
        return list(self._workers)

    @property
    def collection_is_completed(self) -> bool:
        return bool(self._inner.collection_is_completed)

    @property
    def tests_finished(self) -> bool:
        if not self._inner.tests_finished or any(self._unsent.values()):
            return False
        # As xdist's own: the last test of a worker starts when nothing comes behind it.
        return all(worker.lent.finished and len(worker.pending) < 2 for worker in self._workers.values())

    @property
    def has_pending(self) -> bool:
        given = any(worker.pending for worker in self._workers.values())
        return bool(self._inner.has_pending) or given or any(self._unsent.values())

    def add_node(self, node: Any) -> None:
        lent = LentNode(node, self._give)
        self._inner.add_node(lent)
        self._workers[node] = _Worker(lent, node.workerinput[_INPUT]["number"])

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        path = Path(node.workerinput[_INPUT]["path"])
        plan: dict[str, Any] = {"ordinary": len(collection), "groups": []}
        if path.exists():
            plan = json.loads(path.read_text())
        if not self._ids:
            self._ids, self._ordinary = list(collection), plan["ordinary"]
            self._group = dict(enumerate(plan["groups"], self._ordinary))
            for index, group in self._group.items():
                self._unsent.setdefault(group, []).append(index)
        # One that collected other soaks is shown whole: xdist then says what differs.
        same = list(collection) == self._ids
        ordinary = list(collection[: self._ordinary] if same else collection)
        # xdist takes no empty collection from a worker that comes later.
        if ordinary or not self._inner.collection_is_completed:
            self._inner.add_node_collection(self._workers[node].lent, ordinary)

    def schedule(self) -> None:
        self._inner.schedule()
        self._release()

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        worker = self._workers[node]
        if item_index in self._group:
            worker.pending.remove(item_index)
        else:
            self._inner.mark_test_complete(worker.lent, item_index, duration)
        self._release()

    def mark_test_pending(self, item: str) -> None:
        index = self._ids.index(item)
        if index in self._group:
            self._abandon([index])
        else:
            self._inner.mark_test_pending(item)

    def remove_pending_tests_from_node(self, node: Any, indices: Sequence[int]) -> None:
        self._inner.remove_pending_tests_from_node(self._workers[node].lent, indices)
        self._release()

    def remove_node(self, node: Any) -> str | None:
        """Take a worker out; returns the test that it was running when it died, if it did."""
        self._orphans.add(node.workerinput[_INPUT]["number"])
        worker = self._workers.pop(node)
        crashed: str | None = None
        if worker.lent in self._inner.nodes:
            crashed = self._inner.remove_node(worker.lent)
        if crashed is None and worker.pending:
            crashed = self._ids[worker.pending.pop(0)]
        self._abandon(worker.pending)
        self._release()
        return crashed

    def _abandon(self, indices: Iterable[int]) -> None:
        """Soaks that need another worker: the one that replaces theirs."""
        for index in indices:
            self._unsent[self._group[index]].append(index)
            self._unsent[self._group[index]].sort()
            self._orphans.add(self._group[index])

    def _release(self) -> None:
        """Where nothing else is left to do, the soaks begin."""
        if self._inner.collection_is_completed and self._inner.tests_finished:
            for worker in list(self._workers.values()):
                worker.lent.shutdown()

    def _give(self, node: Any) -> None:
        """Give a worker its group, or those that have lost theirs, as the last thing."""
        worker = self._workers[node]
        # A worker that replaces another has a number that no group has.
        own = worker.number in self._unsent
        taken = {worker.number} if own else self._orphans & set(self._unsent)
        indices = [index for group in sorted(taken) for index in self._unsent[group]]
        for group in taken:
            self._unsent[group] = []
        if indices:
            worker.pending += indices
            node.send_runtest_some(indices)
        node.shutdown()
