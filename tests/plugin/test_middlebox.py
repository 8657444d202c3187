"""The ws_middlebox fixture: one test for each box, and a failure that says what to do."""

from __future__ import annotations

import pytest

from pytest_wsstability import faults
from pytest_wsstability.faults import MIDDLEBOXES, Middlebox

SOURCE = """
import pytest

{marker}
@pytest.mark.ws_orchestrator(ping_interval=None, read_deadline=None)
async def test_it(ws_connect, ws_middlebox):
    connection = await ws_connect(ws_middlebox.url, heartbeat="{heartbeat}")
    await connection.assert_alive_for("20m")
"""


def test_each_box_is_a_test_of_its_own(run):
    """A heartbeat of 45 s survives every idle timer; ages below 20 minutes end the rest."""
    result = run(SOURCE.format(marker="", heartbeat="45s"))

    ages = ["envoy-route-timeout", "gcp-lb", "cloud-run", "vercel"]
    assert result.parseoutcomes() == {"failed": len(ages), "passed": len(MIDDLEBOXES) - len(ages)}
    result.stdout.fnmatch_lines_random([f"FAILED *::test_it?{name}?*" for name in ages])


def test_some_boxes_can_be_chosen(run):
    """The marker names them, and their names are the tests' ids."""
    result = run(SOURCE.format(marker='@pytest.mark.ws_middlebox("nginx", "aws-nlb")', heartbeat="45s"), "-v")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_it?nginx? PASSED*", "*::test_it?aws-nlb? PASSED*"])


def test_a_failure_names_box_timer_and_interval(failure):
    """Which box it was, which timer of it, where that is known from, and which interval would do."""
    printed = failure(SOURCE.format(marker='@pytest.mark.ws_middlebox("nginx")', heartbeat="70s"))

    assert "(1006 at 60 s of 1200 s)" in printed
    lines = [line.removeprefix("E").strip() for line in printed.splitlines()]
    start = lines.index("middlebox nginx (nginx): idle 60 s (reset by any byte, either way)")
    assert lines[start + 1 : start + 4] == [
        "applied   nginx ended connection 0 at 60 s: idle 60 s (reset by any byte, either way)",
        "remedy    a heartbeat or ping every 30 s or less would do, or raise proxy_read_timeout",
        "known     measured: nginx 1.22.1; ngx_http_upstream.c, process_upgraded",
    ]


def test_a_box_that_says_nothing_is_named_too(failure):
    """AWS NLB forgets the connection, and the next heartbeat is answered with RST."""
    printed = failure(SOURCE.format(marker='@pytest.mark.ws_middlebox("aws-nlb")', heartbeat="400s"))

    assert "(1006 at 400 s of 1200 s)" in printed
    assert (
        "applied   aws-nlb ended connection 0 at 350 s: idle 350 s (reset by any byte, either way)" in printed
    )
    assert "no close frame received or sent; RST" in printed


@pytest.mark.ws_middlebox("haproxy")
async def test_the_fixture_is_a_fault_proxy_with_a_preset(ws_url, ws_connect, ws_middlebox):
    """Name, preset and URL are there, and more can be broken."""
    assert (ws_middlebox.name, type(ws_middlebox.preset)) == ("haproxy", Middlebox)
    assert ws_middlebox.target == ws_url != ws_middlebox.url
    connection = await ws_connect(ws_middlebox.url)
    ws_middlebox.add(faults.Drop())
    await connection.wait_closed()
    assert connection.timeline.close.at == 0.0


@pytest.mark.parametrize(
    ("marker", "fixture", "words"),
    [
        ('"ngnix"', "ws_middlebox", ["ws_middlebox: 'ngnix' is unknown; valid ones: 'nginx',", "'oci-lb'"]),
        ('"nginx", "nginx"', "ws_middlebox", ["ws_middlebox: 'nginx' is there twice"]),
        ("", "ws_middlebox", ["ws_middlebox: names none; leave the marker out for all of them"]),
        ('box="nginx"', "ws_middlebox", ["ws_middlebox: takes names only, not box="]),
        ('"nginx"', "ws_connect", ["ws_middlebox: the test does not use the fixture ws_middlebox"]),
    ],
)
def test_a_mistake_is_an_error_at_collection(refusal, marker, fixture, words):
    """It names the test, the value and the valid ones."""
    printed = refusal(f"""
        import pytest

        @pytest.mark.ws_middlebox({marker})
        async def test_it({fixture}):
            pass
    """)

    (line,) = (line for line in printed.splitlines() if "::test_it" in line and "ws_middlebox: " in line)
    assert all(word in line for word in words)
