"""One interface, three engines: the same fleets give the same on each."""

import asyncio
from contextlib import contextmanager

import pytest

from pytest_wsstability import Orchestrator
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.fleet import Cluster, FleetReconnects, InProcess, Workers, open_fleet

pytestmark = [
    pytest.mark.real,
    pytest.mark.soak,
    pytest.mark.filterwarnings("default:::distributed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@contextmanager
def in_process():
    yield InProcess


@contextmanager
def workers():
    pytest.importorskip("execnet")
    yield lambda: Workers(["2*popen"])


@contextmanager
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        client.wait_for_workers(2, timeout=60)
        yield lambda: Cluster(client)


@pytest.fixture(scope="module", params=[in_process, workers, cluster], ids=lambda engine: engine.__name__)
def engine(request):
    with request.param() as made:
        yield made


async def talk(connection):
    await connection.send("hello")
    await asyncio.sleep(60)


def fleet(engine, restart=None, **asked):
    async def main():
        async with Orchestrator(echo=True) as orchestrator:
            values = {"alive_for": "5s", "connections": 6, "ramp": 0, "engine": engine(), **asked}
            async with open_fleet(orchestrator.url, **values) as made:
                # Frames come once a second, and wake nobody.
                while restart and made.merge.opened < made.plan.connections:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                if restart:
                    await orchestrator.restart(down_for="100ms")
            return made

    return asyncio.run(main())


def test_a_healthy_fleet(engine):
    made = fleet(engine, heartbeat_every="1s", heartbeat_within="20s", survival=0.5, traffic=talk)

    assert made.verdict.outcome is Outcome.STABLE
    assert made.count.stable == 6
    assert made.merge.heartbeats_answered >= 6 * 2
    assert made.summary.messages == 6
    assert sorted(each.number for each in made.records[""]) == [0, 1, 2, 3, 4, 5]


def test_a_restart_ends_all(engine):
    made = fleet(engine, restart=True, survival=0.5)

    assert made.verdict.outcome is Outcome.UNSTABLE
    assert (made.count.ended, made.count.open, made.count.unobserved) == (6, 0, 0)
    assert sum(map(len, made.groups)) == 6
    assert made.summary.events.events == 1
    assert sorted(each.number for each in made.kept) == [0, 1, 2, 3, 4, 5]


def test_all_come_back_after_a_restart(engine):
    asked = FleetReconnects(within="20s", backoff="500ms")
    made = fleet(engine, restart=True, reconnects=asked)

    assert made.verdict.outcome is Outcome.STABLE
    assert (made.summary.returns.back, made.summary.returns.lost) == (6, 0)
