"""``ws_fleet``: many connections as one requirement, in virtual time."""

import json

import pytest

from pytest_wsstability.core.result import Result
from tests.net.fleet.fake_distributed import fake_distributed

STABLE = """
import pytest

@pytest.mark.ws_stability(
    alive_for="2m", heartbeat_every="25s", heartbeat_within="5s", connections=60, survival=0.95
)
def test_it(ws_fleet):
    assert ws_fleet.count.stable == 60
    assert ws_fleet.verdict.outcome.value == "stable"
"""


def test_a_stable_fleet(run):
    """Two minutes of 60 connections, in virtual time."""
    run(STABLE).assert_outcomes(passed=1)


def test_an_async_test_may_have_one(run):
    run(STABLE.replace("def test_it", "async def test_it")).assert_outcomes(passed=1)


@pytest.mark.parametrize("orders", ["fifo", "lifo", "random"])
def test_in_each_order_of_timers(run, orders):
    run(STABLE, f"--ws-order={orders}").assert_outcomes(passed=1)


LOST = """
import pytest

@pytest.mark.ws_stability(alive_for="2m", connections=60, survival=0.9, client="mute", ramp="6s")
def test_it(ws_fleet):
    assert False, "the body does not run"
"""


def test_a_fleet_that_is_lost_names_its_causes(run):
    result = run(LOST)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*: 60 of 60 ended before 120 s",
            "  expected  90% of connections live for 120 s",
            "  of these  60 planned: 60 ended",
            "  cause     60 *one age, 60 s*",
            "  events    60 ends in 3 events; design effect 20",
        ]
    )
    result.stdout.no_fnmatch_line("*the body does not run*")


def test_too_few_connections_are_told_when_the_test_is_made(run):
    """They are a warning there, and inconclusive in the end."""
    result = run(STABLE.replace("0.95", "0.999"), "-W", "default")

    result.assert_outcomes(failed=1, warnings=1)
    result.stdout.fnmatch_lines(["*StabilityWarning*60 connections can show at most 0.951*"])


@pytest.mark.parametrize(
    ("marker", "fixture", "message"),
    [
        ('alive_for="2m", connections=0', "ws_fleet", "connections: 0 is no fleet"),
        ('alive_for="2m", connections=2.5', "ws_fleet", "connections: 2.5 is no fleet"),
        ('alive_for="2m", connections=9, survival=1.5', "ws_fleet", "survival: 1.5; give a share"),
        ('alive_for="2m", survival=0.5', "ws_fleet", "survival: only makes sense with connections"),
        ('alive_for="2m", connections=9', "ws_soak", "connections: only makes sense with the fixture"),
        ('alive_for="2m"', "ws_fleet", "ws_fleet: how many, for how long?"),
        ("connections=9", "ws_fleet", "ws_fleet: how many, for how long?"),
        ('alive_for="2m", connections=9, ramp="soon"', "ws_fleet", "ramp: 'soon'"),
    ],
)
def test_mistakes_are_errors_at_collection(run, marker, fixture, message):
    result = run(
        f"""
        import pytest

        @pytest.mark.ws_stability({marker})
        def test_it({fixture}):
            pass
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*::test_it: {message}*"])


@pytest.mark.parametrize(("ramp", "errors"), [("121s", 1), ("120s", 0)])
def test_a_ramp_longer_than_the_hold(run, ramp, errors):
    """It is told when the tests are collected."""
    result = run(STABLE.replace("connections=60", f'connections=60, ramp="{ramp}"'), "--collect-only")

    result.assert_outcomes(errors=errors)
    if errors:
        result.stdout.fnmatch_lines(["*::test_it: ramp: 121 s is longer than the hold (alive_for=120 s)*"])


def test_real_time_needs_ws_long(run):
    result = run(STABLE, "--ws-time=real", "-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*ws_long: takes long in real time; run it with --ws-long"])


@pytest.mark.parametrize(
    ("marker", "told"),
    [
        (
            "connections=1001",
            "1,001 connections (at most 1,000 without agreement): run with --ws-load-agreed",
        ),
        (
            'connections=1000, ramp="10s"',
            "100 opens a second (at most 50 without agreement): run with --ws-load-agreed",
        ),
    ],
)
def test_a_host_elsewhere_is_treated_gently(run, marker, told):
    """Nothing is opened: the name does not exist."""
    result = run(
        f"""
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", {marker}, url="ws://no-such-host.invalid/")
        def test_it(ws_fleet):
            pass
        """,
        "--ws-long",
        "--collect-only",
    )

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: *::test_it: {told} if its owner agrees"])


ELSEWHERE = """
import pytest

@pytest.fixture
def ws_url():
    return "ws://no-such-host.invalid/"

@pytest.mark.ws_stability(alive_for="2m", connections=1001)
def test_it(ws_fleet):
    pass
"""


def test_a_host_that_a_fixture_gives_is_treated_gently_too(run):
    """It is known when the test runs."""
    result = run(ELSEWHERE, "--ws-long")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["1,001 connections (at most 1,000 without agreement): run with --ws-load-agreed *"]
    )


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("workers", [(), ("--ws-workers=2*popen",)])
def test_in_real_time(run, workers):
    """Here, and in worker processes."""
    pytest.importorskip("execnet")
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(
            alive_for="1500ms", heartbeat_every="500ms", connections=10, survival=0.7, time="real"
        )
        async def test_it(ws_fleet):
            assert ws_fleet.count.stable == 10
        """,
        "--ws-long",
        *workers,
    )

    result.assert_outcomes(passed=1)


def test_specs_of_workers_that_start_nothing(run):
    result = run(STABLE, "--ws-workers=nonsense", "--ws-time=real", "--ws-long", "--collect-only")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *::test_it: --ws-workers: workers: 'nonsense' starts nothing*"])


DRAINED = """
import asyncio
import pytest
from pytest_wsstability import fleet

@pytest.mark.ws_stability(
    alive_for="2m", heartbeat_every="25s", connections=20, survival=0.8, stalled=2, drain=20,
    options_of=lambda number: {"session_id": f"caller-{number}"},
)
def test_it(ws_fleet):
    assert ws_fleet.count.stalled == 2
    assert ws_fleet.asked.drain == fleet.Drain(per_second=20)
    assert ws_fleet.requirement.allow_close == {1001, 1012}
"""


def test_stalled_neighbours_and_a_drain(run):
    run(DRAINED).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("was", "wrong", "message"),
    [
        ("stalled=2", "stalled='2'", "stalled: '2'; give how many of the connections stop reading"),
        ("stalled=2", "stalled=20", "stalled: 20 of 20; leave some to judge"),
        ("drain=20", "drain=0", "drain: 0; give how many may end in a second, such as 5"),
        ("drain=20", "url_of='x'", "url_of: 'x' is no function of the number of a connection"),
    ],
)
def test_wrong_values_are_told(run, was, wrong, message):
    result = run(DRAINED.replace(was, wrong))

    result.stdout.fnmatch_lines([f"*{message}*"])
    assert result.parseoutcomes().get("passed", 0) == 0


def test_a_fleet_is_in_the_reports(run, pytester):
    """With what became of its connections, also where it is stable."""
    run(STABLE, "--ws-report=made.json").assert_outcomes(passed=1)
    (made,) = json.loads((pytester.path / "made.json").read_text())["results"]

    assert made["fleet"]["count"]["stable"] == 60
    assert (made["verdict"]["outcome"], made["timelines"]) == ("stable", [])
    # Of the 60, eight that were drawn.
    assert [each["cause"] for each in made["records"]] == [""] * 8
    assert all(each["timeline"]["heartbeats"]["answered"] == 4 for each in made["records"])


def test_a_lost_fleet_is_one_result_whose_cause_comes_first(run, pytester):
    result = run(LOST, "--ws-report=made.json")
    results = json.loads((pytester.path / "made.json").read_text())["results"]

    assert [each["fleet"]["count"]["ended"] for each in results] == [60]
    # Twenty that ended of the one cause, with what they lived through.
    assert {each["cause"] for each in results[0]["records"]} == {results[0]["fleet"]["groups"][0]["cause"]}
    assert [round(each["timeline"]["close"]["at"]) for each in results[0]["records"]] == [60] * 20
    assert Result.from_dict(results[0]).as_dict() == results[0]
    result.stdout.fnmatch_lines(["FAILED test_*::test_it - *: 60 of 60 ended before 120 s"])


RETURNS = """
import asyncio
import pytest
from pytest_wsstability import fleet

def name_of(message):
    return None

@pytest.mark.ws_stability(
    alive_for="2m", heartbeat_every="25s", connections=20, reconnects="10s",
    sources=["127.0.0.2", "127.0.0.3"], fanout_of=name_of,
)
def test_it(ws_fleet):
    assert ws_fleet.asked.reconnects == fleet.FleetReconnects(within=10)
    assert ws_fleet.summary.returns.back == 0
    assert ws_fleet.summary.fanout is None
"""


def test_returns_sources_and_messages_that_fan_out(run):
    """Nothing ends, and nothing fans out; virtual time has no source addresses."""
    run(RETURNS).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("was", "wrong", "message"),
    [
        ('reconnects="10s"', 'reconnects="soon"', "reconnects: 'soon'"),
        ('["127.0.0.2", "127.0.0.3"]', '"127.0.0.2"', "sources: '127.0.0.2' is one address; give a list"),
        ('"127.0.0.3"', '"eth0"', "source: 'eth0' is no IP address of this machine"),
        ("fanout_of=name_of", "fanout_of=3", "fanout_of: 3 is no function of a message"),
        ("fanout_of=name_of", 'fanout_within="1s"', "fanout_within: which messages? give fanout_of too"),
    ],
)
def test_wrong_returns_sources_and_messages(run, was, wrong, message):
    result = run(RETURNS.replace(was, wrong))

    result.stdout.fnmatch_lines([f"*{message}*".replace("[", "[[]")])
    assert result.parseoutcomes().get("passed", 0) == 0


@pytest.mark.real
@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('url_of=lambda number: "ws://other/"', "ws_fleet: url_of: connection 0 goes to 'other'*"),
        ("options_of=lambda number: {}", "ws_fleet: options_of: workers load a function by its name*"),
    ],
)
def test_a_cluster_is_left_whatever_is_refused(run, monkeypatch, more, message):
    clients = fake_distributed(monkeypatch)
    source = STABLE.replace("connections=60", f"connections=60, {more}")
    result = run(source, "--ws-cluster=tcp://x:1", "--ws-time=real", "--ws-long")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])
    assert [client.closed for client in clients] == [1]


def test_two_hosts_are_told_before_anything_opens(run):
    result = run(STABLE.replace("connections=60", 'connections=60, url_of=lambda number: "ws://other/"'))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["ws_fleet: url_of: connection 0 goes to 'other', and the *"])


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("1 / 0", "E   ZeroDivisionError: division by zero"),
        ("int(None)", "E   TypeError: int() argument must be *"),
        ("None", "ws_fleet: options_of: connection 0: None are no options; give a dict, *"),
        ("{'hdr': 1}", "ws_fleet: options_of: connection 0: 'hdr' is no keyword of connect; *"),
        ("{'client': 'ie6'}", "ws_fleet: client: 'ie6' is no kind of client; valid ones: 'browser', *"),
    ],
)
def test_what_a_function_of_the_users_raises_is_the_error(run, own, told):
    """By itself, and not in a group of all connections; what is wrong with what it gives, in a line."""
    result = run(
        f"""
        import pytest

        @pytest.mark.ws_stability(alive_for="1m", connections=3, options_of=lambda number: {own})
        def test_it(ws_fleet): ...
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([told])
    result.stdout.no_fnmatch_line("*Exception Group*")
    result.stdout.no_fnmatch_line("*def run_until_complete*")


def test_a_fleet_in_doubt_says_of_what(run):
    """What a single hold says, with how many, and once; all were watched to their end."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="20s", connections=3, heartbeat_within="2s")
        def test_it(ws_fleet): ...
        """
    )

    result.assert_outcomes(failed=1)
    doubt = "3 of 3 in doubt, such as connection 0: 0 of at least 1 heartbeats answered*none was sent: *"
    result.stdout.fnmatch_lines([f"inconclusive: {doubt}", f"  in doubt  {doubt}"])
    result.stdout.no_fnmatch_line("*not observed to their end*")
    result.stdout.no_fnmatch_line("  worker *")


INJECTED = """
import pytest
from pytest_wsstability import faults

@pytest.mark.ws_orchestrator(faults=[("30s", faults.Drop())])
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s", connections=5)
{kind} test_it(ws_fleet): ...
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_the_reference_server_did_is_known(run, kind):
    """As of a single hold: both ends of each connection are in this process."""
    result = run(INJECTED.format(kind=kind))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "a fault that the test injected: 5 of 5 ended",
            "  example   connection 0, at 30 s: injected fault faults.Drop() (confidence high)",
        ]
    )


def test_a_promise_whose_cause_nobody_knows_is_no_doubt_of_it(run):
    """It was broken, and there is no timeline to look at."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="20s", connections=3, messages_at_least=1)
        def test_it(ws_fleet): ...
        """
    )

    result.stdout.fnmatch_lines(["  example   connection 0, at 20 s: 0 of at least 1 messages in 20 s"])
    result.stdout.no_fnmatch_line("  fix *")


INTERRUPTED = """
import asyncio
import pytest

def interrupt():
    raise KeyboardInterrupt

def options_of(number):
    if number == 0:
        asyncio.get_running_loop().call_later(30, interrupt)
    return {}

@pytest.mark.ws_stability(alive_for="2m", connections=60, survival=0.9, ramp=0, options_of=options_of)
def test_it(ws_fleet): ...
"""


@pytest.mark.parametrize("begin", ["def", "async def"])
def test_an_interrupted_fleet_is_reported_as_far_as_it_came(pytester, begin):
    """Ctrl-C ends the test before its turn: what was seen by then is all that there is."""
    pytester.makepyfile(INTERRUPTED.replace("def test_it", f"{begin} test_it"))
    result = pytester.runpytest_inprocess("--ws-report=a.json", no_reraise_ctrlc=True)
    (held,) = json.loads((pytester.path / "a.json").read_text())["results"]

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*::test_it", "*cause: inconclusive: interrupted at * of 120 s; between *"])
    assert (held["verdict"]["outcome"], held["expected"]) == ("inconclusive", False)
    assert held["fleet"]["count"]["unobserved"] == 60
