"""A machine that lacks something: told before the run, and blamed on no server."""

from __future__ import annotations

import asyncio
import errno

import pytest

from pytest_wsstability.net import resources
from pytest_wsstability.net.fleet import workers

MANY = """
import pytest

@pytest.mark.parametrize("number", range({count}))
@pytest.mark.ws_stability(alive_for="2s", url="ws://127.0.0.1:9/")
def test_it(ws_soak, number):
    pass
"""
FLEET = """
import pytest

@pytest.mark.ws_long
@pytest.mark.ws_stability(alive_for="2s", connections={count}, url="ws://127.0.0.1:9/")
def test_it(ws_fleet):
    pass
"""


@pytest.fixture
def sixty_descriptors(monkeypatch):
    """What is left in this process, and it may have no more."""
    monkeypatch.setattr(resources, "_descriptors", lambda: 60)
    monkeypatch.setattr(resources, "_raise_limit", lambda by: None)


@pytest.mark.usefixtures("sixty_descriptors")
def test_holds_are_compared_with_what_is_left(run):
    """At collection, and no test runs."""
    result = run(MANY.format(count=100))

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: 100 holds need about 120 descriptors; 60 are left: * (ini ws_soak_concurrency)"]
    )


@pytest.mark.usefixtures("sixty_descriptors")
def test_fewer_at_once_need_less(run, ini):
    """As the message says."""
    ini("ws_soak_concurrency = 40")

    assert run(MANY.format(count=100), "--collect-only").ret == 0


@pytest.mark.usefixtures("sixty_descriptors")
@pytest.mark.parametrize(("count", "code"), [(41, 4), (40, 0)])
def test_a_fleet_is_compared_with_what_is_left(run, monkeypatch, count, code):
    """By the same measure, where no execnet spreads it over several processes."""
    monkeypatch.setattr(workers, "find_spec", lambda name: None)

    result = run(FLEET.format(count=count), "--collect-only", "--ws-long")

    assert result.ret == code
    if code:
        result.stderr.fnmatch_lines(["ERROR: *::test_it: 41 connections need about 61 descriptors; 60 are *"])


@pytest.mark.parametrize(("count", "code"), [(101, 4), (100, 0)])
def test_a_fleet_over_several_processes_is_compared_with_what_the_machine_has(run, monkeypatch, count, code):
    """Each may have the descriptors for 40, and all together no more than 100 ports."""
    monkeypatch.setattr(workers, "carries", lambda: 40)
    monkeypatch.setattr(resources, "_ports", lambda: 100)

    result = run(FLEET.format(count=count), "--collect-only", "--ws-long")

    assert result.ret == code
    if code:
        result.stderr.fnmatch_lines(
            ["ERROR: *::test_it: 101 connections to one address need as many local *"]
        )


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--ws-long",), 4),
        # It is skipped.
        ((), 0),
        # Its workers have ports of their own.
        (("--ws-long", "--ws-cluster=tcp://127.0.0.1:8786"), 0),
        (("--ws-long", "--ws-workers=ssh=load1"), 0),
    ],
)
def test_a_fleet_that_does_not_run_here_needs_nothing_here(run, monkeypatch, options, code):
    monkeypatch.setattr(resources, "_ports", lambda: 100)

    assert run(FLEET.format(count=101), "--collect-only", *options).ret == code


@pytest.mark.parametrize(("count", "code"), [(3, 4), (2, 0)])
def test_workers_are_compared_with_the_memory_that_is_left(run, monkeypatch, count, code):
    """Each process has 24 MiB of its own, whatever its connections have."""
    monkeypatch.setattr(resources, "_memory", lambda: 60 * 2**20)

    result = run(FLEET.format(count=3), "--collect-only", "--ws-long", f"--ws-workers={count}*popen")

    assert result.ret == code
    if code:
        told = "3 connections by 3 workers need about 72 MiB of memory; 60 are left: hold fewer at once*"
        result.stderr.fnmatch_lines([f"ERROR: *::test_it: {told}"])


@pytest.mark.usefixtures("sixty_descriptors")
@pytest.mark.parametrize(("count", "code"), [(3_414, 4), (3_413, 0)])
def test_a_fleet_in_virtual_time_needs_memory_alone(run, monkeypatch, count, code):
    """Both ends of each are in it, and no kernel: their memory is all that they need of the machine."""
    monkeypatch.setattr(resources, "_memory", lambda: 60 * 2**20)
    virtual = FLEET.replace(', url="ws://127.0.0.1:9/"', "")

    result = run(virtual.format(count=count), "--collect-only")

    assert result.ret == code
    if code:
        told = "3,414 connections in virtual time need about 60 MiB of memory; 60 are left: hold fewer*"
        result.stderr.fnmatch_lines([f"ERROR: *::test_it: {told}"])


@pytest.mark.usefixtures("sixty_descriptors")
def test_what_is_not_held_together_needs_nothing(run):
    """Virtual time has no descriptors."""
    source = MANY.format(count=100).replace(', url="ws://127.0.0.1:9/"', "")

    assert run(source, "--collect-only").ret == 0


SOAK = """
import pytest

@pytest.mark.ws_stability(alive_for="2s", url="ws://127.0.0.1:9/")
def test_it(ws_soak):
    pass
"""
CONNECT = """
import pytest

@pytest.mark.ws_stability(alive_for="2s", url="ws://127.0.0.1:9/")
async def test_it(ws_connect):
    await (await ws_connect()).assert_stable()
"""


@pytest.fixture
def none_when_it_opens(monkeypatch):
    """The last descriptor went while the tests ran."""

    async def refuse(*args, **options):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "create_connection", refuse)


@pytest.mark.usefixtures("none_when_it_opens")
@pytest.mark.parametrize("source", [SOAK, CONNECT])
def test_an_opening_without_a_descriptor_is_inconclusive(failure, source):
    """It says what was short and what to raise, and nothing of the server."""
    printed = failure(source)

    assert "did not open (TCP connection): no descriptor was left here (Too many open files)" in printed
    assert "fix       hold fewer at once, or raise what was short: descriptors (ulimit -n)" in printed
    assert "INCONCLUSIVE" in printed
    assert "UNSTABLE" not in printed
    assert "nobody listens" not in printed
    assert "- inconclusive: not opened: no descriptor was left" in printed


@pytest.mark.usefixtures("none_when_it_opens")
def test_it_is_skipped_where_that_is_asked_for(run):
    """As every other inconclusive verdict."""
    result = run(SOAK, "--ws-inconclusive=skip")

    assert result.parseoutcomes() == {"skipped": 1}
