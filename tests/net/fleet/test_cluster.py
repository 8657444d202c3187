"""A Dask cluster of two workers here: healthy, dead, frozen; a slot that Dask runs again opens nothing."""

import asyncio
import os
import re
import signal

import pytest
import websockets

from pytest_wsstability import Orchestrator, Requirement
from pytest_wsstability.core.fleet.merge import FleetMerge, Refusal
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.net.fleet import worker, worker_listener
from pytest_wsstability.net.fleet.cluster import Cluster
from pytest_wsstability.net.fleet.engine import WorkerError
from pytest_wsstability.net.fleet.job import FleetJob

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.real,
    pytest.mark.soak,
    # A worker that is killed leaves sockets and log lines behind in the scheduler.
    pytest.mark.filterwarnings("default:::distributed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def process_of(number):
    """For a header that tells the server which process a connection comes from."""
    return {"session_id": f"{os.getpid()}-{number}"}


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as made:
        yield made


@pytest.fixture
def client(cluster):
    with distributed.Client(cluster, set_as_default=False) as made:
        made.wait_for_workers(2, timeout=60)
        yield made


async def raising(connection):
    """As a user's function may."""
    raise RuntimeError("mine")


def run(client, disturb=None, *, connections=6, alive_for="3s", **functions):
    requirement = Requirement.of(alive_for=alive_for, heartbeat_every="500ms", heartbeat_within="20s")

    async def main():
        async with Orchestrator() as orchestrator:
            engine = Cluster(client)
            plan = FleetPlan(connections=connections, hold=requirement.alive_for, workers=len(engine))
            merge = FleetMerge(plan)
            waiting = [disturb] if disturb is not None else []

            def watch(merge):
                if waiting and merge.opened == connections:
                    pids = sorted({int(session.id.split("-")[0]) for session in orchestrator.sessions})
                    waiting.pop()(pids)

            job = FleetJob(url=orchestrator.url, requirement=requirement, options_of=process_of, **functions)
            await engine.run(plan, job, merge, watch)
            return merge, len(orchestrator.sessions)

    return asyncio.run(main())


def test_a_healthy_fleet(client):
    merge, sessions = run(client)

    assert (merge.count.stable, merge.opened, sessions) == (6, 6, 6)
    assert merge.heartbeats_answered >= 6 * 2
    assert merge.refusals == {}


def test_what_a_function_raises_is_told(client):
    """Type and text, as the reason of what nobody saw to its end."""
    merge, _ = run(client, alive_for="1s", traffic=raising)

    assert merge.count.unobserved == 6
    assert [note.rpartition(" on: ")[2] for note in merge.notes] == ["RuntimeError: mine"] * 2


def test_connections_end_with_the_client(cluster):
    """As when the controller is killed: the scheduler lets its tasks go, and nobody says stop."""

    async def main():
        live, opened, gone = set(), asyncio.Event(), asyncio.Event()

        async def handler(websocket):
            live.add(websocket)
            if len(live) == 4:
                opened.set()
            try:
                async for _ in websocket:
                    pass
            finally:
                live.discard(websocket)
                if not live:
                    gone.set()

        async with websockets.serve(handler, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            plan = FleetPlan(connections=4, hold=300.0, workers=2)
            requirement = Requirement.of(alive_for="300s")
            job = FleetJob(url=url, requirement=requirement, options={"profile": "frames"})
            client = distributed.Client(cluster.scheduler_address, set_as_default=False)
            running = asyncio.ensure_future(Cluster(client).run(plan, job, FleetMerge(plan), print))
            async with asyncio.timeout(60):
                await opened.wait()
            await asyncio.to_thread(client.close)
            async with asyncio.timeout(15):
                await gone.wait()
            running.cancel()
            await asyncio.wait([running])

    asyncio.run(main())


def test_a_worker_that_is_killed(client, monkeypatch):
    """Its three connections are unobserved; Dask starts another worker, and nobody opens them again."""
    monkeypatch.setattr(worker_listener, "SILENT", 3.0)
    merge, sessions = run(client, lambda pids: os.kill(pids[0], signal.SIGKILL), alive_for="8s")

    assert (merge.count.stable, merge.count.unobserved, merge.count.ended) == (3, 3, 0)
    assert sessions == 6
    (note,) = merge.notes
    assert re.search(
        r"^3 of 3 connections .* worker [01] \(tcp://127\.0\.0\.1:\d+\) was silent for \d s$", note
    )
    assert set(merge.refusals) <= {Refusal.SECOND_ATTEMPT, Refusal.AFTER_THE_END}


def test_a_worker_that_is_frozen(client, monkeypatch):
    monkeypatch.setattr(worker_listener, "SILENT", 3.0)
    frozen = []

    def freeze(pids):
        frozen.append(pids[0])
        os.kill(pids[0], signal.SIGSTOP)

    try:
        merge, _ = run(client, freeze, alive_for="6s")
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)

    assert (merge.count.stable, merge.count.unobserved, merge.count.ended) == (3, 3, 0)
    assert re.search(r"was silent for [3-9] s$", merge.notes[0])


def test_a_worker_with_another_version(client, monkeypatch):
    monkeypatch.setattr(worker, "__version__", "99.0")
    with pytest.raises(
        WorkerError, match=r"^worker \d \(tcp://.*\): it has pytest-wsstability .* not 99\.0$"
    ):
        run(client)


def test_workers_that_cannot_import_it():
    """It is told at once, by itself: where a task itself cannot be read, Dask says nothing."""
    missing = "import sys; sys.modules['pytest_wsstability'] = None"
    with (
        distributed.LocalCluster(n_workers=1, dashboard_address=None, preload=missing) as bare,
        distributed.Client(bare, set_as_default=False) as made,
    ):
        made.wait_for_workers(1, timeout=60)
        with pytest.raises(WorkerError, match=r"^worker 0 \(tcp://.*\) can't import it: .*wsstability"):
            run(made)


def test_no_scheduler():
    with pytest.raises(WorkerError, match=r"^no Dask scheduler at 'tcp://127\.0\.0\.1:9': "):
        Cluster("tcp://127.0.0.1:9")


def test_no_address():
    with pytest.raises(WorkerError, match=r"^no Dask scheduler at 'nonsense://x': "):
        Cluster("nonsense://x")


def test_no_workers():
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as empty,
        distributed.Client(empty, set_as_default=False) as made,
        pytest.raises(WorkerError, match=r"^the Dask cluster has no workers$"),
    ):
        Cluster(made)
