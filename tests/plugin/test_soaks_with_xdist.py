"""ws_soak under pytest-xdist: holds are spread over the workers, overlap in each, and none is repeated."""

from __future__ import annotations

import pytest

from tests.serving import Crowd, serving

pytestmark = [pytest.mark.slow, pytest.mark.real]

SUITE = """
import pytest

@pytest.mark.parametrize("number", range(5))
def test_ordinary(number):
    pass

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(4))
@pytest.mark.ws_stability(alive_for="700ms")
def test_soak(ws_soak, number, worker_id):
    print(f"SOAK{number}:{worker_id}:")

class TestMore:
    @pytest.mark.parametrize("number", range(4, 8))
    @pytest.mark.ws_stability(alive_for="700ms")
    def test_soak(self, ws_soak, number, worker_id):
        print(f"SOAK{number}:{worker_id}:")
"""


@pytest.fixture
def crowd():
    """Who is connected to `url`."""
    return Crowd(0)


@pytest.fixture
def url(crowd):
    """A server that keeps every promise."""
    with serving(handler=crowd.handle) as url:
        yield url


@pytest.fixture
def spread(run, url):
    """Run a suite on two workers: the result, and the worker of each soak that passed."""

    def runner(source: str, *args: str, conftest: str | None = None):
        arguments = ["-n2", "-rP", "-p", "no:looptime_plugin", f"--ws-url={url}", *args]
        result = run(source, *arguments, conftest=conftest)
        printed = [line.split(":") for line in result.stdout.lines if line.startswith("SOAK")]
        return result, {name: worker for name, worker, _ in printed}

    return runner


@pytest.mark.parametrize("dist", ["load", "worksteal", "loadscope", "loadfile", "loadgroup"])
def test_spread_and_together(spread, crowd, dist):
    """Eight holds, each of them once; those of a worker at once."""
    result, workers = spread(SUITE, f"--dist={dist}")

    assert result.parseoutcomes() == {"passed": 13}
    assert len(crowd.codes) == 8
    assert len(workers) == 8
    together = 8 if dist == "loadfile" else 4
    assert crowd.most >= together
    if dist in ("load", "worksteal"):
        assert [workers[f"SOAK{number}"] for number in range(8)] == ["gw0", "gw1"] * 4
    elif dist == "loadfile":
        assert len(set(workers.values())) == 1
    elif dist == "loadscope":
        assert {workers[f"SOAK{number}"] for number in range(4)} == {"gw0"}
        assert {workers[f"SOAK{number}"] for number in range(4, 8)} == {"gw1"}
    else:
        assert {workers[f"SOAK{number}"] for number in range(4)} == {"gw0"}
        assert set(workers.values()) == {"gw0", "gw1"}


def test_each_worker_runs_everything(spread, crowd):
    """With --dist=each that is what was asked for."""
    result, _ = spread(SUITE, "--dist=each")

    assert result.parseoutcomes() == {"passed": 26}
    assert len(crowd.codes) == 16


def test_nothing_but_soaks(spread, crowd):
    """Fewer ordinary tests than workers."""
    result, _ = spread(SUITE, "-k", "not ordinary")

    assert result.parseoutcomes() == {"passed": 8}
    assert len(crowd.codes) == 8


def test_one_soak(spread, crowd):
    """More workers than soaks."""
    result, _ = spread(SUITE, "-k", "5 and not ordinary")

    assert result.parseoutcomes()["passed"] == 1
    assert len(crowd.codes) == 1


def test_early(spread, crowd):
    """Each worker starts its own."""
    result, _ = spread(SUITE, "--ws-soak-early")

    assert result.parseoutcomes() == {"passed": 13}
    assert len(crowd.codes) == 8


def test_no_soak_at_all(spread):
    """xdist does what it always does."""
    result, _ = spread(SUITE, "-k", "test_ordinary", "-v")

    assert result.parseoutcomes() == {"passed": 5}
    result.stdout.fnmatch_lines(["scheduling tests via LoadScheduling"])


@pytest.mark.parametrize("only", ["", "not ordinary"], ids=["with others", "soaks alone"])
def test_a_worker_that_dies(spread, crowd, only):
    """Its test failed; the worker that replaces it holds the rest of its group, and no other is repeated."""
    dying = """
@pytest.mark.ws_stability(alive_for="100ms")
def test_dying_soak(ws_soak):
    import os
    os._exit(1)
"""
    # The first of all soaks, so that its worker has judged none before.
    source = SUITE.replace('@pytest.mark.xdist_group("one")', dying + '\n@pytest.mark.xdist_group("one")')
    result, workers = spread(source, "-k", only)

    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 1
    assert outcomes["passed"] == (8 if only else 13)
    assert len(workers) == 8
    assert set(workers.values()) == {"gw1", "gw2"}
    # Five holds of gw0 died with it, four of them were held again.
    assert len(crowd.codes) == 5 + 4 + 4


def test_a_scheduler_of_the_project(spread, crowd):
    """Nobody knows what it will do, so each test holds for itself."""
    result, _ = spread(
        SUITE,
        conftest="""
        from xdist.scheduler import LoadScheduling

        def pytest_xdist_make_scheduler(config, log):
            return LoadScheduling(config, log)
        """,
    )

    assert result.parseoutcomes() == {"passed": 13}
    assert len(crowd.codes) == 8
    assert crowd.most <= 2


def test_exitfirst(spread, crowd):
    """-x stops the other worker's holds too."""
    with serving(handler=lambda connection: connection.close(1011)) as bad:
        broken = f"""
@pytest.mark.ws_stability(alive_for="1h", url="{bad}")
def test_broken(ws_soak):
    pass
"""
        result, _ = spread(SUITE.replace("700ms", "1h") + broken, "-x", "-k", "not ordinary")

    assert result.parseoutcomes()["failed"] == 1
    assert result.ret != 0
