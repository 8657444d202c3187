"""The channel between xdist's controller and its workers: what is said, to whom, and what costs nothing."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import SimpleNamespace

import pytest

from pytest_wsstability.plugin.seams.xdist import on_main_thread
from pytest_wsstability.plugin.soaks.xdist import grouped
from pytest_wsstability.plugin.workers import Controller, WorkerLink, WorkerLinks
from tests.serving import SOON, Crowd, serving

TWO_WORKERS = ("-n2", "-p", "no:looptime_plugin")


class Channel:
    """One end of an execnet channel, in this process."""

    def __init__(self):
        self.sent = []
        self.callback = None
        self.closed = False

    def setcallback(self, callback, endmarker=NotImplemented):
        self.callback = callback

    def send(self, message):
        if self.closed:
            raise OSError("cannot send to <Channel id=1 closed>")
        self.sent.append(message)


def test_the_controller_hears_a_worker():
    """Each message wakes the main thread once, and is taken once."""
    channel, woken = Channel(), []
    link = WorkerLink("gw0", 0, channel)
    link.hear(lambda: woken.append(link.take()))

    channel.callback(("progress", 1))
    channel.callback(("results", 2))

    assert woken == [[("progress", 1)], [("results", 2)]]
    assert link.take() == []
    assert not link.over.is_set()


@pytest.mark.parametrize("last", [("over", None), None], ids=["over", "closed"])
def test_a_worker_is_over_when_it_says_so_or_is_gone(last):
    """Whoever waits for it waits no longer."""
    channel = Channel()
    link = WorkerLink("gw0", 0, channel)
    link.hear(lambda: None)

    channel.callback(last)

    assert link.over.is_set()


def test_nobody_fails_over_the_other_end():
    """A channel whose other end is gone takes no message, and that is no error."""
    channel = Channel()
    link, controller = WorkerLink("gw0", 0, channel), Controller({"channel": channel})
    channel.closed = True

    link.stop()
    controller.tell("results", "[]")

    assert channel.sent == []


def test_a_worker_is_stopped():
    """At once, whatever its tests do: the message comes on a thread of its own."""
    channel = Channel()
    controller = Controller({"channel": channel, "worker": "gw1"})
    assert not controller.stopped

    channel.callback("stop")

    assert controller.stopped


def test_a_worker_that_waits_is_interrupted():
    """As with Ctrl-C; once what it does at its end has begun, no more."""
    channel = Channel()
    controller = Controller({"channel": channel})
    # A shell lets what it runs in the background ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        thread = threading.Timer(0.05, channel.callback, args=("interrupt",))
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            threading.Event().wait(SOON)
        thread.join()
        controller.is_leaving = True
        channel.callback("interrupt")
    finally:
        signal.signal(signal.SIGINT, before)

    assert controller.stopped


@pytest.fixture
def tell_interrupt():
    """Tell a worker that it is to be interrupted, as execnet does, and say so when that is done."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    channel = Channel()
    Controller({"channel": channel})

    def tell():
        thread = threading.Thread(target=channel.callback, args=("interrupt",))
        thread.start()
        thread.join()

    yield tell
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("fails", [False, True])
def test_a_worker_that_ends_its_test_is_not_interrupted_again(tell_interrupt, fails):
    """Ctrl-C in a terminal has interrupted it, too; what its test has to end takes longer."""
    done = []

    def test():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            try:
                if fails:
                    raise ValueError
            except ValueError:
                tell_interrupt()
            tell_interrupt()
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        test()
    assert done
    with pytest.raises(KeyboardInterrupt):
        tell_interrupt()


def test_a_worker_whose_loop_ends_its_task_is_not_interrupted_again(tell_interrupt):
    """asyncio cancels the task at the first interrupt, and leaves it alone with the second one."""
    done = []

    async def main():
        task = asyncio.current_task()
        tell_interrupt()
        assert task.cancelling()
        try:
            await asyncio.sleep(0)
        finally:
            tell_interrupt()
            await asyncio.sleep(0)
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert done


def test_those_that_do_not_stop_are_interrupted():
    """Where nobody waits for them, as with ``--maxfail``, they go on with what is no hold."""
    links = WorkerLinks(SimpleNamespace())
    links.by_node = {name: WorkerLink(name, number, Channel()) for number, name in enumerate(["gw0", "gw1"])}
    quick, busy = links
    quick.over.set()

    links.stop()
    links.stop(within=0.003)

    assert quick.channel.sent == ["stop", "stop"]
    assert busy.channel.sent == ["stop", "stop", "interrupt"]


def test_a_worker_without_a_channel():
    """Of a controller that has the plugin switched off: nobody listens."""
    controller = Controller({})
    controller.tell("results", "[]")

    assert (controller.number, controller.dist, controller.progress) == (0, None, "off")


@pytest.mark.parametrize(
    ("scopes", "workers", "groups"),
    [
        ([], 2, []),
        (["a", "b", "c", "d"], 2, [0, 1, 0, 1]),
        (["a", "a", "b", "a"], 2, [0, 0, 1, 0]),
        (["a", "b", "c"], 4, [0, 1, 2]),
        (["a", "b"], 1, [0, 0]),
    ],
)
def test_scopes_take_turns(scopes, workers, groups):
    """What must stay together does; the others are dealt out."""
    assert grouped(scopes, workers) == groups


@pytest.mark.parametrize("part", ["loop_once", "notify_inproc"])
def test_another_xdist_is_told_loudly(part):
    """Its session is the one thing that no documentation promises."""
    session = SimpleNamespace(loop_once=None)
    manager = SimpleNamespace(get_plugin={"dsession": session}.get)
    node = SimpleNamespace(config=SimpleNamespace(pluginmanager=manager), notify_inproc=lambda *_, **__: None)
    on_main_thread(node, lambda: None)
    delattr(session if part == "loop_once" else node, part)

    with pytest.raises(RuntimeError, match=r"^this pytest-xdist has no session .*: run without -n, "):
        on_main_thread(node, lambda: None)


def test_xdists_own_parts_are_there(pytester):
    """A message that is queued as a worker's is taken on the main thread of xdist's session."""
    pytest.importorskip("xdist")
    from xdist.dsession import DSession
    from xdist.workermanage import WorkerController

    assert callable(DSession.loop_once)
    assert callable(WorkerController.notify_inproc)


@pytest.mark.slow
@pytest.mark.real
def test_a_run_without_us_loads_nothing(pytester):
    """The controller knows only what its workers tell, and these say nothing."""
    pytester.makeconftest(
        """
        import sys

        def pytest_unconfigure(config):
            if not hasattr(config, "workerinput"):
                ours = ("core.timeline", "net", "virtual", "report", "plugin.running")
                rooms = [f"pytest_wsstability.{room}" for room in ours]
                print("LOADED", [name for name in sys.modules if name.startswith(tuple(rooms))])
        """
    )
    pytester.makepyfile("def test_it(): pass")

    result = pytester.runpytest_subprocess(*TWO_WORKERS)

    assert result.parseoutcomes() == {"passed": 1}
    result.stdout.fnmatch_lines(["LOADED []"])


SUITE = """
import pytest

@pytest.mark.parametrize("number", range(3))
@pytest.mark.ws_stability(alive_for="1h", url="{bad}")
def test_broken(ws_soak, number):
    pass

@pytest.mark.parametrize("number", range(3))
@pytest.mark.ws_stability(alive_for="1h")
def test_long(ws_soak, number):
    pass
"""


@pytest.mark.slow
@pytest.mark.real
def test_maxfail_above_one(run):
    """The second failure ends the holds of both workers; the first does not."""
    with serving(handler=Crowd(0).handle) as url, serving(handler=lambda it: it.close(1011)) as bad:
        result = run(SUITE.format(bad=bad), *TWO_WORKERS, f"--ws-url={url}", "--maxfail=2", "-rs")

    outcomes = result.parseoutcomes()
    # The third of the broken ones had its turn or not before the workers heard of it.
    assert outcomes["failed"] in (2, 3)
    result.stdout.fnmatch_lines(["*stopping after 2 failures*"])
    assert "stopping after 1" not in result.stdout.str()
