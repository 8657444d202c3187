"""Workers in processes of their own: healthy, dead, frozen, wrong; each connection is accounted for."""

import asyncio
import importlib
import os
import re
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_wsstability import Orchestrator, Requirement
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.net import resources
from pytest_wsstability.net.fleet import worker, worker_listener, workers
from pytest_wsstability.net.fleet.engine import WorkerError
from pytest_wsstability.net.fleet.job import FleetJob
from pytest_wsstability.net.fleet.workers import Workers, expanded

execnet = pytest.importorskip("execnet")
pytestmark = [pytest.mark.slow, pytest.mark.real]


async def without_a_disk(connection):
    """From now on each byte that this process writes to a file fails, as it does where the disk is full."""
    import resource

    with tempfile.TemporaryFile(buffering=0) as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        with pytest.raises(OSError, match="File too large"):
            file.write(b"x")
    await connection.send("hello")


def pid_of(number):
    """For a header that tells the server which process a connection comes from."""
    return {"session_id": f"{os.getpid()}-{number}"}


def run(disturb=None, *, specs=("2*popen",), connections=6, alive_for="3s", **job):
    """A fleet in worker processes against an orchestrator in this one."""
    requirement = Requirement.of(alive_for=alive_for, heartbeat_every="500ms", heartbeat_within="20s")

    async def main():
        async with Orchestrator() as orchestrator:
            engine = Workers(specs)
            plan = FleetPlan(connections=connections, hold=requirement.alive_for, workers=len(engine))
            merge = FleetMerge(plan)
            made = FleetJob(url=orchestrator.url, requirement=requirement, options_of=pid_of, **job)
            waiting = [disturb] if disturb is not None else []

            def watch(merge):
                if waiting and merge.opened == connections:
                    pids = sorted({int(session.id.split("-")[0]) for session in orchestrator.sessions})
                    waiting.pop()(pids)

            await engine.run(plan, made, merge, watch)
            return merge

    return asyncio.run(main())


def test_a_healthy_fleet():
    merge = run()

    assert merge.count.stable == 6
    assert merge.opened == 6
    assert merge.one_clock
    # Five each, or fewer where the machine has no time.
    assert merge.heartbeats_answered >= 6 * 2
    assert merge.refusals == {}
    # Their whole records come home.
    assert sorted(each.number for each in merge.records[""]) == [0, 1, 2, 3, 4, 5]
    assert all(each.timeline.heartbeats.answered >= 2 for each in merge.records[""])


def test_workers_have_names_and_labels():
    """Columns of the report, and what a group may share."""
    merge = run(specs=["popen//env:REGION=eu", "popen//env:REGION=us"], alive_for="1s")

    assert [(each.name, each.labels, each.connections, each.stable) for each in merge.workers] == [
        ("popen//env:REGION=eu", ("REGION=eu",), 3, 3),
        ("popen//env:REGION=us", ("REGION=us",), 3, 3),
    ]


def test_functions_of_a_test_module_are_found_by_workers_here(tmp_path, monkeypatch):
    """pytest puts the folders of tests on the path of its own process only."""
    (tmp_path / "of_a_folder_of_tests.py").write_text("async def talk(connection): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    # As a conftest may put one there, which Python passes over.
    monkeypatch.setattr(sys, "path", [*sys.path, tmp_path / "another"])
    monkeypatch.delitem(sys.modules, "of_a_folder_of_tests", raising=False)
    module = importlib.import_module("of_a_folder_of_tests")
    merge = run(specs=["popen//env:REGION=eu"], connections=2, alive_for="1s", traffic=module.talk)

    assert merge.count.stable == 2


@pytest.mark.parametrize(
    ("spec", "given"),
    [("popen", True), ("popen//python=docker exec -i a python3", False), ("ssh=load1", False)],
)
def test_only_workers_here_have_the_path_of_this_process(spec, given):
    """What is behind a command or an ssh has folders of its own."""
    assert (repr(sys.path) in workers._source(spec)) is given


def test_a_command_in_front_of_the_interpreter(tmp_path):
    """As `kubectl exec` and `docker exec` stand there: a worker is where that command puts it."""
    prefix = tmp_path / "kubectl"
    prefix.write_text('#!/bin/sh\necho "$@" >"$0.said"\nshift 4\nexec "$@"\n')
    prefix.chmod(0o755)
    merge = run(specs=[f"popen//python={prefix} exec -i ws-0 -- {sys.executable}"], alive_for="1s")

    assert (merge.count.stable, merge.opened) == (6, 6)
    assert (tmp_path / "kubectl.said").read_text().startswith(f"exec -i ws-0 -- {sys.executable} ")


def test_a_worker_that_is_killed():
    """Its three connections are unobserved, and nobody opens them again."""
    merge = run(lambda pids: os.kill(pids[0], signal.SIGKILL))

    assert (merge.count.stable, merge.count.unobserved, merge.count.ended) == (3, 3, 0)
    (note,) = merge.notes
    assert note.startswith("3 of 3 connections of worker ")
    assert note.endswith("(popen) ended")


async def raising(connection):
    """As a user's function may."""
    raise RuntimeError("mine")


def test_what_a_function_raises_is_told():
    """Type and text, as the reason of what nobody saw to its end; each worker has three."""
    merge = run(alive_for="1s", traffic=raising)

    assert merge.count.unobserved == 6
    assert [note.rpartition(" on: ")[2] for note in merge.notes] == ["RuntimeError: mine"] * 2


def test_a_full_disk_of_a_worker_changes_nothing():
    """It writes no file: none of what it does needs a byte of a disk."""
    merge = run(specs=["popen", "popen"], alive_for="1s", traffic=without_a_disk)

    assert (merge.count.stable, merge.count.unobserved) == (6, 0)


def test_a_worker_that_is_frozen(monkeypatch):
    """It has to be killed in the end, and nothing is left of it, or of the other one."""
    monkeypatch.setattr(worker_listener, "SILENT", 3.0)
    close, closed = workers._close, []

    def closing(processes):
        close(processes)
        closed.extend(processes)

    monkeypatch.setattr(workers, "_close", closing)
    merge = run(lambda pids: os.kill(pids[0], signal.SIGSTOP), alive_for="6s")

    assert (merge.count.stable, merge.count.unobserved, merge.count.ended) == (3, 3, 0)
    # A busy machine hears of the silence a second late.
    assert re.search(r"was silent for [3-9] s$", merge.notes[0])
    assert [each.returncode is not None for each in closed] == [True, True]
    assert all(each.stdin.closed and each.stdout.closed for each in closed)


def test_nothing_is_left_of_a_process_that_does_not_end():
    """A pipe or a process that the garbage collector finds is a warning, in whatever test runs then."""
    processes = []
    model = workers._remembering(processes, threading.Event())
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    started = model.subprocess.Popen(command, stdin=model.subprocess.PIPE, stdout=model.subprocess.PIPE)
    started.stdin.write(b"nobody reads this")
    workers._close(processes)

    assert processes == [started]
    assert started.returncode == -signal.SIGKILL
    assert started.stdin.closed
    assert started.stdout.closed


def test_a_process_that_starts_when_all_is_over_is_ended():
    is_over, processes = threading.Event(), []
    is_over.set()
    model = workers._remembering(processes, is_over)
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    started = model.subprocess.Popen(command, stdin=model.subprocess.PIPE, stdout=model.subprocess.PIPE)

    assert started.returncode == -signal.SIGKILL


@pytest.fixture
def mute(tmp_path):
    """A worker whose interpreter never says anything."""
    path = tmp_path / "mute"
    path.write_text("#!/bin/sh\nexec sleep 600\n")
    path.chmod(0o755)
    return f"popen//python={path}"


def test_a_worker_whose_interpreter_says_nothing(mute, monkeypatch):
    monkeypatch.setattr(workers, "READY_WITHIN", 1.0)
    with pytest.raises(WorkerError, match=r"^worker 0 \(popen//python=.*\) did not start within 1 s$"):
        run(specs=[mute])


def test_who_is_stopped_while_a_worker_starts_ends_it(mute, monkeypatch):
    """Though as many workers start as the loop has threads."""
    start, ended = workers._start, threading.Event()

    async def main():
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        loop.set_default_executor(ThreadPoolExecutor(1))

        def starting(*arguments):
            loop.call_soon_threadsafe(begun.set)
            try:
                return start(*arguments)
            finally:
                ended.set()

        monkeypatch.setattr(workers, "_start", starting)
        plan = FleetPlan(connections=1, hold=1.0)
        job = FleetJob(url="ws://127.0.0.1:9/", requirement=Requirement.of(alive_for="1s"))
        running = asyncio.ensure_future(Workers([mute]).run(plan, job, FleetMerge(plan), print))
        await begun.wait()
        running.cancel()
        await asyncio.wait([running], timeout=20)
        return running.cancelled()

    assert asyncio.run(main())
    assert ended.wait(10)


def test_a_worker_whose_process_ends_at_once():
    """A command in front of the interpreter that does nothing, for one."""
    told = r"^worker 0 \(popen//python=true\) did not start: its process ended before it had answered$"
    with pytest.raises(WorkerError, match=told):
        run(specs=["popen//python=true"])


def test_a_worker_without_the_package(tmp_path):
    """A Python that has nothing but the standard library."""
    import venv

    venv.create(tmp_path / "bare", with_pip=False)
    with pytest.raises(WorkerError, match=r"^worker 0 \(popen//python=.*\) did not start: .*No module named"):
        run(specs=[f"popen//python={tmp_path}/bare/bin/python"])


def test_a_worker_with_another_version(monkeypatch):
    monkeypatch.setattr(worker, "__version__", "99.0")
    with pytest.raises(WorkerError, match=r"^worker \d \(popen\): it has pytest-wsstability .* not 99\.0$"):
        run()


@pytest.mark.parametrize(
    ("spec", "made"),
    [
        ("popen", ["popen"]),
        ("2*popen", ["popen", "popen"]),
        ("ssh=load1", ["ssh=-o BatchMode=yes -o ConnectTimeout=10 load1"]),
        ("popen//env:REGION=eu", ["popen//env:REGION=eu"]),
    ],
)
def test_specs(spec, made):
    assert expanded(spec) == made


@pytest.mark.parametrize(
    ("specs", "connections", "lacks"),
    [
        (["2*popen"], 100, False),
        (["2*popen"], 101, True),
        (["popen", "popen//env:REGION=eu"], 101, True),
        # Half of them are opened elsewhere, or by what a command leads to.
        (["popen", "ssh=load1"], 101, False),
        (["popen", "popen//python=kubectl exec -i ws-0 -- python3"], 101, False),
    ],
)
def test_workers_here_share_the_ports_of_the_machine(monkeypatch, specs, connections, lacks):
    """Each by itself has enough of them; it is told before one is started."""

    def start(*spec):
        raise WorkerError("it would start")

    monkeypatch.setattr(resources, "_ports", lambda: 100)
    monkeypatch.setattr(workers, "_start", start)
    plan = FleetPlan(connections=connections, hold=1.0, workers=2)
    job = FleetJob(url="ws://127.0.0.1:9/", requirement=Requirement.of(alive_for=1.0))
    told = "101 connections to one address need as many local ports; there are 100: "
    with pytest.raises(WorkerError, match=f"^{told if lacks else 'it would start$'}"):
        asyncio.run(Workers(specs).run(plan, job, FleetMerge(plan), lambda merge: None))


@pytest.mark.parametrize("spec", ["0*popen", "nonsense", "python=/usr/bin/python3", "popen//popen", ""])
def test_specs_that_start_nothing(spec):
    with pytest.raises(ValueError, match=r"^workers: '.*' (is no spec of execnet|starts nothing)"):
        expanded(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("501*popen", "workers: '501*popen' are more than 500; give fewer, or a Dask cluster"),
        ("1000000000000*popen", "workers: '1000000000000*popen' are more than 500; "),
        ("2*popen//id=x", "workers: '2*popen//id=x' gives 2 workers one id; leave it out"),
        (
            "popen//env:REGION",
            "workers: 'popen//env:REGION' gives env:REGION no value; write env:REGION=VALUE",
        ),
        ("popen//python", "workers: 'popen//python' gives python no value; write python=VALUE"),
        ("ssh=//nice=5", "workers: 'ssh=//nice=5' gives ssh no value; write ssh=VALUE"),
        ("ssh", "workers: 'ssh' gives ssh no value; write ssh=VALUE"),
        # execnet passes over what it does not know: another Python would have run.
        (
            "popen//pyhton=/venv/bin/python",
            "workers: 'popen//pyhton=/venv/bin/python': a worker has no 'pyhton'; valid ones: ssh, ",
        ),
        (
            "popen//ssh=load1",
            "workers: 'popen//ssh=load1' is here and elsewhere; leave out 'popen' or 'ssh'",
        ),
        ("popen//via=x", "workers: 'popen//via=x': a worker has no 'via'; valid ones: ssh, ssh_config, "),
        (
            "\N{SUPERSCRIPT TWO}*popen",
            "workers: '\N{SUPERSCRIPT TWO}*popen' starts nothing; give 'popen' or ",
        ),
    ],
)
def test_specs_that_cannot_be_meant(spec, message):
    """They are told before anything is made of them."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        expanded(spec)


def test_an_id_that_two_workers_have():
    with pytest.raises(ValueError, match=r"^workers: two have the id 'x'; leave it out$"):
        Workers(["popen//id=x", "popen//id=y", "ssh=load1//id=x"])
    assert len(Workers(["popen//id=x", "popen//id=y", "2*popen"])) == 4


def test_an_ssh_that_does_not_get_in():
    """What execnet says of it is the command alone; without one, its process ended as any other."""
    error = execnet.HostNotFound("-o BatchMode=yes load1")

    told = "ssh did not get in, and asks for no password: `ssh -o BatchMode=yes load1` says why"
    assert workers._reason(error) == told
    assert workers._reason(EOFError()) == "its process ended before it had answered"


def test_as_many_workers_as_one_process_may_start():
    assert len(Workers(["500*popen", "popen//id=x"])) == 501


@pytest.mark.parametrize(("left", "lacks"), [(24, False), (23, True)])
def test_the_pipes_of_workers_are_counted_before_one_is_started(monkeypatch, left, lacks):
    """Two for each, wherever it runs; no more workers than connections are started."""

    def start(*spec):
        raise WorkerError("it would start")

    monkeypatch.setattr(resources, "_descriptors", lambda: left)
    monkeypatch.setattr(resources, "_raise_limit", lambda by: None)
    monkeypatch.setattr(workers, "_start", start)
    plan = FleetPlan(connections=2, hold=1.0, workers=3)
    job = FleetJob(url="ws://127.0.0.1:9/", requirement=Requirement.of(alive_for=1.0))
    told = "2 workers need about 24 descriptors; 23 are left: " if lacks else "it would start$"
    with pytest.raises(WorkerError, match=f"^{told}"):
        asyncio.run(Workers(["2*popen", "ssh=load1"]).run(plan, job, FleetMerge(plan), lambda merge: None))


@pytest.mark.parametrize(
    ("connections", "most", "cores", "specs"),
    [
        (19_980, 19_980, 2, ()),
        (19_981, 19_980, 2, ("2*popen",)),
        (19_981, 19_980, 8, ("8*popen",)),
        (100_000, 19_980, 2, ("6*popen",)),
        (100_000, None, 2, ()),
    ],
)
def test_what_one_process_does_not_carry_is_spread(monkeypatch, connections, most, cores, specs):
    """Over as many workers as cores, or as many as it takes; a process without limits carries all."""
    monkeypatch.setattr(workers, "carries", lambda: most)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)

    assert workers.spread(connections) == specs


def test_without_execnet_nothing_is_spread(monkeypatch):
    """The process says what it lacks then."""
    monkeypatch.setattr(workers, "carries", lambda: 10)
    monkeypatch.setattr(workers, "find_spec", lambda name: None)

    assert workers.spread(11) == ()
