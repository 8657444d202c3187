"""Which worker of a Dask cluster is named when not all start: with a client that says what a test says."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from pytest_wsstability import run_virtual
from pytest_wsstability.net.fleet import cluster
from pytest_wsstability.net.fleet.engine import WorkerError

distributed = pytest.importorskip("distributed")

ADDRESSES = {0: "tcp://one", 1: "tcp://two"}


class Client:
    """Of what is submitted, it says at once what `said` has for a slot; mute workers say nothing at all."""

    def __init__(self, said, *, mute=False, submitted=lambda name: None):
        self._said, self._mute, self._submitted = said, mute, submitted
        self.cancelled = 0

    def subscribe_topic(self, name, heard):
        self._heard = heard

    def unsubscribe_topic(self, name):
        pass

    def cancel(self, futures):
        self.cancelled = len(futures)

    def submit(self, work, name, *arguments, **options):
        future = SimpleNamespace(status="pending", exception=lambda timeout=None: None)
        future.add_done_callback = lambda callback: None
        if arguments and arguments[0] in self._said:
            slot = arguments[0]
            self._heard((0.0, {"slot": slot, "attempt": "first", **self._said[slot]}))
        elif not arguments and not self._mute:
            future.status = "finished"
            future.add_done_callback = lambda callback: callback(future)
        self._submitted("task" if arguments else "check")
        return future


def stopped(at, *, mute):
    """What was submitted to two workers, of which nobody ever starts, and stopped in the middle of it."""
    submitted, reached = [], threading.Event()

    def note(what):
        submitted.append(what)
        if len(submitted) == at:
            reached.set()

    client = Client({}, mute=mute, submitted=note)
    run = cluster._Run(client, ADDRESSES)
    run._event = lambda name: SimpleNamespace(set=lambda: None)
    starting = threading.Thread(target=run.start, args=({0: "{}", 1: "{}"},))
    starting.start()
    assert reached.wait(10)
    run.stop()
    starting.join(10)
    assert not starting.is_alive()
    return submitted, client.cancelled


def test_who_is_stopped_while_workers_are_asked_for_the_package_submits_nothing():
    assert stopped(2, mute=True) == (["check", "check"], 0)


def test_who_is_stopped_while_workers_do_not_start_waits_no_longer():
    """What was submitted is taken back."""
    assert stopped(4, mute=False) == (["check", "check", "task", "task"], 2)


def test_who_is_stopped_between_two_workers_goes_no_further():
    def stop(what):
        if what == "task":
            run._is_stopped = True
            tasks.append(what)

    tasks = []
    client = Client({}, submitted=stop)
    run = cluster._Run(client, ADDRESSES)
    run.start({0: "{}", 1: "{}"})

    assert (len(tasks), client.cancelled) == (1, 1)


class Endless:
    """A task that holds connections until it is cancelled."""

    def __init__(self):
        self.ended_at = None

    async def run(self, say):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.5)
            self.ended_at = asyncio.get_running_loop().time()


@pytest.mark.parametrize(("orphaned_at", "ended_at"), [(0.0, 1.5), (3.5, 4.5)])
def test_a_task_that_nobody_waits_for_ends(monkeypatch, orphaned_at, ended_at):
    """Within a second, and its connections are closed."""

    async def never(stop):
        await asyncio.Event().wait()

    async def main():
        loop, task = asyncio.get_running_loop(), Endless()
        await cluster._until_stopped(task, None, lambda: loop.time() >= orphaned_at, print)
        return task.ended_at

    monkeypatch.setattr(cluster, "_is_told", never)
    assert run_virtual(main()) == ended_at


class Stop:
    """The event that says stop, in its place: it answers what a test says, at once."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def wait(self, timeout):
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("answers", [(False, False, True), (False, OSError("the scheduler is gone"))])
def test_a_task_ends_when_it_is_told_or_nobody_can_tell_it(answers):
    async def main():
        task = Endless()
        await cluster._until_stopped(task, Stop(*answers), lambda: False, print)
        return task.ended_at

    assert run_virtual(main()) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("state", "status", "orphaned"),
    [
        ("executing", "running", False),
        ("executing", "paused", False),
        ("executing", "closing_gracefully", False),
        ("executing", "closing", True),
        ("executing", "closed", True),
        ("executing", "failed", True),
        ("cancelled", "running", True),
        (None, "running", True),
    ],
)
def test_whose_task_it_still_is(state, status, orphaned):
    """Its state is what Dask's worker makes of a key that its client has let go, or not."""
    tasks = {"key": SimpleNamespace(state=state)} if state is not None else {}
    worker = SimpleNamespace(
        state=SimpleNamespace(tasks=tasks), status=getattr(distributed.core.Status, status)
    )

    assert cluster._is_orphaned(worker, "key") == orphaned


def started(said):
    cluster._Run(Client(said), ADDRESSES).start({0: "{}", 1: "{}"})


def test_all_start():
    started({0: {}, 1: {}})


def test_the_one_that_can_not_is_named_though_another_has_said_nothing_yet():
    """Its error ends the wait: the other one has had no time."""
    with pytest.raises(WorkerError, match=r"^worker 1 \(tcp://two\): it has another version$"):
        started({1: {"error": "it has another version"}})


def test_of_two_that_can_not_the_first_is_named():
    with pytest.raises(WorkerError, match=r"^worker 0 \(tcp://one\): no$"):
        started({1: {"error": "no"}, 0: {"error": "no"}})


def test_the_one_that_says_nothing_is_named(monkeypatch):
    monkeypatch.setattr(cluster, "READY_WITHIN", 0.01)
    with pytest.raises(WorkerError, match=r"^worker 1 \(tcp://two\) did not start within 0 s$"):
        started({0: {}})


@pytest.mark.parametrize("address", ["", "scheduler", "tcp://scheduler:http", "nonsense://x:1"])
def test_what_is_no_address_is_told_before_anybody_goes_there(monkeypatch, address):
    """The end of the process would wait 20 s for a client that failed so, and print a traceback."""
    clients = []
    monkeypatch.setattr(distributed, "Client", lambda *arguments, **options: clients.append(arguments))
    with pytest.raises(WorkerError, match=rf"^no Dask scheduler at '{address}': "):
        cluster.Cluster(address)

    assert clients == []
