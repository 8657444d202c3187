"""ws_soak against a server outside the process: the holds run side by side, the tests one by one."""

from __future__ import annotations

import json

import pytest

from tests.serving import SOON, Crowd, serving

pytestmark = pytest.mark.real

FIVE = """
import pytest

held = pytest.mark.ws_stability(alive_for="1s", heartbeat_every="400ms", heartbeat_within="5s")

@held
@pytest.mark.parametrize("number", range(3))
def test_sync(ws_soak, number):
    assert ws_soak.verdict.horizon == 1

def test_ordinary():
    pass

@held
async def test_async(ws_soak):
    ws_soak.assert_heartbeats_answered(within="5s", at_least=1)

@held
class TestVoice:
    def test_in_a_class(self, ws_soak):
        ws_soak.assert_no_abnormal_closure()
"""


@pytest.fixture
def crowd():
    """Who is connected to `url`: five are awaited."""
    return Crowd(5)


@pytest.fixture
def url(crowd):
    """A server that keeps every promise."""
    with serving(handler=crowd.handle) as url:
        yield url


def order(result: pytest.RunResult) -> list[str]:
    """The tests in the order in which they ran."""
    return [
        line.split("::", 1)[1].split()[0] for line in result.stdout.lines if "::" in line and "%]" in line
    ]


def test_they_hold_together(run, url, crowd):
    """Five holds at once, and each test is judged by its own; ordinary tests come first."""
    result = run(FIVE, f"--ws-url={url}", "-v")

    assert result.parseoutcomes() == {"passed": 6}
    assert crowd.most == 5
    assert order(result) == [
        "test_ordinary", "test_sync[0]", "test_sync[1]", "test_sync[2]", "test_async",
        "TestVoice::test_in_a_class",
    ]  # fmt: skip


def test_a_limit(run, ini, url, crowd):
    """ws_soak_concurrency."""
    ini("ws_soak_concurrency = 2")

    assert run(FIVE, f"--ws-url={url}").parseoutcomes() == {"passed": 6}
    assert crowd.most == 2


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("ws_soak_concurrency", "0", "is no count; give a whole number from 1"),
        ("ws_soak_concurrency", "many", "is no count; give a whole number from 1"),
        ("ws_soak_ramp", "0", "is no rate; give connections a second, such as 10 or 0.5"),
        ("ws_soak_ramp", "fast", "is no rate; give connections a second, such as 10 or 0.5"),
        ("ws_soak_ramp", "inf", "is no rate; give connections a second, such as 10 or 0.5"),
        ("ws_virtual_tick", "-1", "is no number of microseconds; give one from 0 on, such as 1"),
        ("ws_virtual_tick", "1us", "is no number of microseconds; give one from 0 on, such as 1"),
        ("ws_virtual_tick", "1000000", "is no number of microseconds; give one from 0 on, such as 1"),
    ],
)
def test_limits_that_make_no_sense(run, ini, name, value, advice):
    """Refused before anything runs."""
    ini(f"{name} = {value}")

    result = run("def test_it(): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: ini {name}: '{value}' {advice}"])


def test_early(run, url, crowd, monkeypatch):
    """With --ws-soak-early the holds run behind the ordinary tests."""
    monkeypatch.setattr("tests.serving.awaited", crowd.complete, raising=False)
    more = (
        f"\n\ndef test_meanwhile():\n    from tests.serving import awaited\n    assert awaited.wait({SOON})\n"
    )

    assert run(FIVE + more, f"--ws-url={url}", "--ws-soak-early").parseoutcomes() == {"passed": 7}


def test_no_early_start_of_what_is_only_planned(run, url, crowd):
    """--setup-plan runs nothing."""
    run(FIVE, f"--ws-url={url}", "--ws-soak-early", "--setup-plan")

    assert crowd.most == 0


def test_skipped_tests_hold_nothing(run, url, crowd):
    """Marked skip, skipif or ws_long: nobody would judge the hold."""
    result = run(
        """
        import pytest

        pytestmark = pytest.mark.ws_stability(alive_for="200ms")

        def test_it(ws_soak):
            pass

        @pytest.mark.skip(reason="not today")
        def test_skip(ws_soak):
            pass

        @pytest.mark.skipif(True, reason="not today")
        def test_skipif(ws_soak):
            pass

        @pytest.mark.ws_long
        def test_long(ws_soak):
            pass
        """,
        f"--ws-url={url}",
    )

    assert result.parseoutcomes() == {"passed": 1, "skipped": 3}
    assert crowd.codes == [1000]


def test_a_url_that_only_a_fixture_knows(run, url, crowd):
    """It holds when it is set up, while the others, whose URL is known, hold too."""
    result = run(
        f"""
        import pytest

        @pytest.mark.parametrize("number", range(4))
        @pytest.mark.ws_stability(alive_for="400ms", url="{url}")
        def test_known(ws_soak, number):
            pass

        class TestFixture:
            @pytest.fixture
            def ws_url(self):
                return "{url}"

            @pytest.mark.ws_stability(alive_for="400ms")
            def test_fixture(self, ws_soak):
                assert ws_soak.verdict.tier.value == "real time"
        """,
    )

    assert result.parseoutcomes() == {"passed": 5}
    assert len(crowd.codes) == 5


def test_a_server_in_an_async_fixture_behind_a_known_url(run, unused_port):
    """It runs on the loop of its test, which must not be kept waiting by a hold elsewhere."""
    result = run(
        f"""
        import pytest
        import pytest_asyncio
        from pytest_wsstability import Orchestrator

        @pytest_asyncio.fixture
        async def server():
            async with Orchestrator(port={unused_port}):
                yield

        @pytest.mark.ws_stability(alive_for="300ms", url="ws://127.0.0.1:{unused_port}/")
        async def test_it(server, ws_soak):
            assert ws_soak.verdict.tier.value == "real time"
        """
    )

    assert result.parseoutcomes() == {"passed": 1}


def leave(connection):
    """A server's handler that ends the connection at once."""
    return connection.close(1011, "overloaded")


SOME = """
import pytest

@pytest.mark.ws_stability(alive_for="{long}")
def test_long(ws_soak):
    pass

@pytest.mark.ws_stability(alive_for="{long}", url="{bad}")
{mark}
def test_broken(ws_soak):
    pass

@pytest.mark.ws_stability(alive_for="{long}")
def test_long_too(ws_soak):
    pass
"""


def test_one_failure_is_one_failure(run, url):
    """The others are judged by their own holds."""
    with serving(handler=leave) as bad:
        result = run(SOME.format(long="400ms", bad=bad, mark=""), f"--ws-url={url}")

    assert result.parseoutcomes() == {"passed": 2, "failed": 1}
    result.stdout.fnmatch_lines(["FAILED *::test_broken - *1011 at *"])


def test_exitfirst_stops_when_it_is_known(run, url, crowd):
    """With -x nobody waits an hour for a run that will fail anyway; its holds are closed properly."""
    with serving(handler=leave) as bad:
        result = run(SOME.format(long="1h", bad=bad, mark=""), f"--ws-url={url}", "-x", "-rs")

    assert result.parseoutcomes() == {"skipped": 1, "failed": 1}
    # On a busy machine the first one may not even be open yet.
    saw = r"(inconclusive: interrupted at .* of 1 h|interrupted before the connection was open)"
    stops = r"because the run stops at \S+::test_broken: .*1011 at "
    result.stdout.re_match_lines([rf"SKIPPED .* {saw}, {stops}"])
    # What is cut in its opening handshake has no close frame to send; what was open says goodbye.
    assert 1000 in crowd.codes or "before the connection was open" in result.stdout.str()
    assert set(crowd.codes) <= {1000, 1006}


AGAIN = """
@pytest.mark.ws_stability(alive_for="{long}", url="{bad}")
def test_broken_too(ws_soak):
    pass
"""


def test_maxfail_stops_when_so_many_are_known(run, url, crowd):
    """Two of two: nobody waits an hour for the first one."""
    with serving(handler=leave) as bad:
        source = (SOME + AGAIN).format(long="1h", bad=bad, mark="")
        result = run(source, f"--ws-url={url}", "--maxfail=2")

    assert result.parseoutcomes() == {"skipped": 2, "failed": 2}


@pytest.mark.parametrize("limit", [2, 3])
def test_fewer_than_maxfail_stop_nothing(run, url, limit):
    """One of two, or two of three: every hold is judged."""
    with serving(handler=leave) as bad:
        source = (SOME + AGAIN * (limit - 2)).format(long="400ms", bad=bad, mark="")
        result = run(source, f"--ws-url={url}", f"--maxfail={limit}")

    assert result.parseoutcomes() == {"passed": 2, "failed": limit - 1}


def test_an_expected_failure_stops_nothing(run, url):
    """xfail is no failure, so -x goes on."""
    with serving(handler=leave) as bad:
        source = SOME.format(long="400ms", bad=bad, mark="@pytest.mark.xfail")
        result = run(source, f"--ws-url={url}", "-x")

    assert result.parseoutcomes() == {"passed": 2, "xfailed": 1}


def test_a_failed_neighbour_leaves_no_hold_behind(run, url, crowd):
    """A hold whose test failed in another fixture is closed, and is nobody's news."""
    result = run(
        """
        import pytest

        @pytest.fixture
        def broken():
            raise RuntimeError("no database")

        @pytest.mark.ws_stability(alive_for="300ms")
        def test_first(ws_soak):
            pass

        @pytest.mark.ws_stability(alive_for="1h")
        def test_second(broken, ws_soak):
            pass
        """,
        f"--ws-url={url}",
    )

    assert result.parseoutcomes() == {"passed": 1, "errors": 1}
    result.stdout.no_fnmatch_line("*INCONCLUSIVE*")
    # On a busy machine the second may not have been open yet.
    assert set(crowd.codes) == {1000}


def test_an_interrupt_keeps_what_was_seen(pytester, url, crowd, monkeypatch):
    """Ctrl-C: closing handshakes, and verdicts that claim nothing."""
    monkeypatch.setattr("tests.serving.awaited", crowd.complete, raising=False)
    pytester.makepyfile(
        f"""
        import pytest

        def test_interrupted():
            from tests.serving import awaited
            assert awaited.wait({SOON})
            raise KeyboardInterrupt

        @pytest.mark.parametrize("number", range(5))
        @pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak, number):
            pass
        """
    )
    arguments = (f"--ws-url={url}", "--ws-soak-early", "--ws-report=a.json")
    result = pytester.runpytest_inprocess(*arguments, no_reraise_ctrlc=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "*::test_it?0?",
            "*cause: inconclusive: interrupted at * of 120 s",
            "real time: 0 of 5 holds stable, 5 inconclusive; watched for *",
        ]
    )
    results = json.loads((pytester.path / "a.json").read_text())["results"]
    assert [each["verdict"]["outcome"] for each in results] == ["inconclusive"] * 5
    assert crowd.codes == [1000] * 5


def test_an_interrupt_names_those_that_were_never_open(pytester, ini, url, crowd):
    """They waited for their turn, and there is nothing to say about them but that."""
    ini("ws_soak_concurrency = 1")
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def interrupted(request):
            raise KeyboardInterrupt

        @pytest.mark.parametrize("number", range(3))
        @pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak, number):
            pass

        def test_interrupted(interrupted):
            pass
        """
    )
    result = pytester.runpytest_inprocess(f"--ws-url={url}", "--ws-soak-early", no_reraise_ctrlc=True)

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        ["WebSocket holds that were never open: [23]", "  *::test_it?2?: interrupted before *"]
    )


def test_what_does_not_open_fails_its_test(run):
    """In the call phase, as one alone."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak):
            pass
        """,
        "--ws-url=ws://127.0.0.1:1",
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["*nobody listens on 127.0.0.1:1*"])
