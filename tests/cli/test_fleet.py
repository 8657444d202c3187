"""`wsstability fleet`, against an orchestrator in real time."""

import json
import re

import pytest

from pytest_wsstability import cli
from tests.serving import serving

pytestmark = pytest.mark.real


@pytest.fixture
def url():
    with serving() as url:
        yield url


def command(url, *arguments, connections=5, seconds="700ms"):
    return cli.main(["fleet", url, f"--connections={connections}", f"--for={seconds}", *arguments])


def test_a_stable_fleet(url, capsys):
    assert command(url, "--heartbeat=200ms", "--ramp=0", "--within=190ms") == 0
    out, err = capsys.readouterr()

    assert out.startswith(f"stable: {url} for 700 ms in real time: 5 planned: 5 stable; rtt ")
    assert err.startswith("plan: 5 connections for 700 ms, opened at once\n")


def test_too_few_connections_are_told_before_and_after(url, capsys):
    assert command(url, "--survival=0.999") == 3
    out, err = capsys.readouterr()

    assert out.startswith("inconclusive: between ")
    assert "5 connections can show at most 0.549; 0.999 needs 2,995" in err


def test_json_is_a_stream(url, capsys):
    assert command(url, "--json", seconds="1500ms") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [line["event"] for line in lines] == ["plan", *["progress"] * (len(lines) - 2), "end"]
    assert lines[0]["connections"] == 5
    assert lines[-1]["outcome"] == "stable"
    assert lines[-1]["fleet"]["count"]["stable"] == 5


def test_nothing_listens(capsys):
    assert command("ws://127.0.0.1:9/") == 1
    assert "5 of 5 did not open" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--within=1s"], "--within: answers to what? give --heartbeat too"),
        (["--survival=2"], "survival: 2.0; give a share between 0 and 1, such as 0.999"),
        (["--ramp=1h"], "ramp: 3600 s is longer than the hold"),
        (["--workers=nonsense"], "workers: 'nonsense' starts nothing"),
    ],
)
def test_values_that_make_no_sense(capsys, arguments, message):
    assert command("ws://127.0.0.1:9/", *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_host_elsewhere_is_treated_gently(capsys):
    assert command("ws://no-such-host.invalid/", connections=2_000, seconds="10m") == 2
    assert "2,000 connections (unasked: 1,000): give --load-agreed" in capsys.readouterr().err


def test_metrics_are_served_meanwhile(url, capsys):
    assert command(url, "--metrics=127.0.0.1:0", seconds="1500ms") == 0

    assert re.search(r"^metrics: http://127\.0\.0\.1:\d+/metrics$", capsys.readouterr().err, re.MULTILINE)


def test_no_address_for_metrics(url, capsys):
    assert command(url, "--metrics=9464", seconds="1500ms") == 2
    assert "metrics: '9464' is no address" in capsys.readouterr().err


def test_a_report_of_a_fleet(url, tmp_path):
    paths = [tmp_path / f"a.{kind}" for kind in ("json", "jsonl", "md", "html", "xml")]
    assert command(url, *(f"--report={path}" for path in paths)) == 0
    (held,) = json.loads(paths[0].read_text())["results"]

    assert held["nodeid"] == f"wsstability fleet {held['url']}"
    assert held["fleet"]["count"]["stable"] == 5
    assert "wsstability fleet" in paths[2].read_text()
    assert all(path.stat().st_size for path in paths)


def test_a_report_that_cannot_be_is_refused_before_the_fleet(url, capsys):
    assert command(url, "--report=a.txt") == 2
    assert "'a.txt': a report cannot be '.txt'" in capsys.readouterr().err
