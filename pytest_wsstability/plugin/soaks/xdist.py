"""
Soaks under pytest-xdist: each worker has a group of them, knows it beforehand, and holds it together.

xdist gives tests to workers as these come along, a few at a time, so a worker cannot know which holds it may
start. Here the tests that hold are cut off the end of the collection: xdist's own scheduler sees the others
only, and a worker that it has finished with gets its group of soaks as the last thing. Which group a soak
belongs to follows from its place and from how xdist distributes tests, so that every worker finds the same.

"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..workers import WorkerLink, controller_of, links_of

if TYPE_CHECKING:
    import pytest

# How xdist distributes tests, scope by scope; with "each" every worker runs everything.
_DISTRIBUTED = frozenset({"load", "worksteal", "loadscope", "loadfile", "loadgroup"})


def grouped(scopes: Sequence[str], workers: int) -> list[int]:
    """The group of each soak: those that must stay in one worker are in one, and the others take turns."""
    order = {scope: position for position, scope in enumerate(dict.fromkeys(scopes))}
    return [order[scope] % workers for scope in scopes]


def _scope(item: pytest.Item, dist: str) -> str:
    """What must stay in one worker, as xdist's modes say it."""
    if dist == "loadfile":
        return item.nodeid.partition("::")[0]
    if dist == "loadscope":
        return item.nodeid.rpartition("::")[0]
    if dist == "loadgroup" and (marker := item.get_closest_marker("xdist_group")) is not None:
        return f"@{marker.args[0] if marker.args else marker.kwargs.get('name', 'default')}"
    return item.nodeid


# In the process that runs tests.


@dataclass(frozen=True, slots=True)
class Groups:
    """Which tests start their holds together."""

    # By the test's node id.
    of: Mapping[str, int]
    # The group of this process; None when it has none of its own.
    own: int | None


def groups(config: pytest.Config, items: Sequence[pytest.Item], ordinary: int) -> Groups:
    """
    Group the tests that hold, and tell the controller, if there is one.

    Args:
        config: of this process.
        items: the tests that hold, in their order.
        ordinary: how many other tests come before them.

    """
    ids = [item.nodeid for item in items]
    controller = controller_of(config)
    if controller is None or controller.dist == "each":
        return Groups(dict.fromkeys(ids, 0), 0)
    if controller.dist not in _DISTRIBUTED:
        return Groups(dict(zip(ids, range(len(ids)), strict=True)), None)
    numbers = grouped([_scope(item, controller.dist) for item in items], controller.workers)
    controller.tell("soaks", [ordinary, numbers])
    own = controller.number if controller.number < controller.workers else None
    return Groups(dict(zip(ids, numbers, strict=True)), own)


# On the controller.


def around(config: pytest.Config, scheduler: Any) -> Any:
    """The scheduler of a run: xdist's own, with ours around it where that knows how it distributes."""
    links = links_of(config)
    if scheduler is None or links.dist not in _DISTRIBUTED:
        return scheduler
    # xdist prints the name of the class, and a run without soaks shall read as it always did.
    return type(type(scheduler).__name__, (SoakScheduling,), {})(scheduler, links.by_node)


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


@dataclass(slots=True)
class _Worker:
    """What the scheduler knows of a worker."""

    lent: LentNode
    link: WorkerLink
    # Indices of the soaks that it was given and has not run, in their order.
    pending: list[int] = field(default_factory=list)


class SoakScheduling:
    """A scheduler of pytest-xdist (see ``xdist.scheduler.protocol``) around one of xdist's own."""

    def __init__(self, inner: Any, links: Mapping[Any, WorkerLink]) -> None:
        self._inner = inner
        self._links = links
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
        self._workers[node] = _Worker(lent, self._links[node])

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        worker = self._workers[node]
        if not self._ids:
            self._ids = list(collection)
            self._ordinary, groups = worker.link.soaks or (len(collection), [])
            for index, group in enumerate(groups, self._ordinary):
                self._group[index] = group
                self._unsent.setdefault(group, []).append(index)
        # One that collected other soaks is shown whole: xdist then says what differs.
        same = list(collection) == self._ids
        ordinary = list(collection[: self._ordinary] if same else collection)
        # xdist takes no empty collection from a worker that comes later.
        if ordinary or not self._inner.collection_is_completed:
            self._inner.add_node_collection(worker.lent, ordinary)

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
        worker = self._workers.pop(node)
        self._orphans.add(worker.link.number)
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
            group = self._group[index]
            self._unsent[group] = sorted([*self._unsent[group], index])
            self._orphans.add(group)

    def _release(self) -> None:
        """Where nothing else is left to do, the soaks begin."""
        if self._inner.collection_is_completed and self._inner.tests_finished:
            for worker in list(self._workers.values()):
                worker.lent.shutdown()

    def _give(self, node: Any) -> None:
        """Give a worker its group, or those that have lost theirs, as the last thing."""
        worker = self._workers[node]
        # A worker that replaces another has a number that no group has.
        own = worker.link.number in self._unsent
        taken = {worker.link.number} if own else self._orphans & set(self._unsent)
        indices = [index for group in sorted(taken) for index in self._unsent[group]]
        for group in taken:
            self._unsent[group] = []
        if indices:
            worker.pending += indices
            node.send_runtest_some(indices)
        node.shutdown()
