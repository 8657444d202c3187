"""`wsstability fleet`, against an orchestrator in real time."""

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest

from pytest_wsstability import cli, faults
from pytest_wsstability.cli.fleet import _numbers, _of_workers, _state
from pytest_wsstability.core.fleet.frame import RTT_LIMITS, Ending, Fate, Frame, Return
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import FleetRequirement
from pytest_wsstability.net.fleet import fleet as held_fleet
from tests.net.fleet.fake_distributed import fake_distributed
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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_returns_and_source_addresses(url, capsys):
    assert command(url, "--reconnects=5s", "--source=127.0.0.2", "--source=127.0.0.3") == 0
    assert "5 planned: 5 stable" in capsys.readouterr().out


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
        (["--reconnects=soon"], "reconnects: 'soon'"),
        (
            ["--reconnects=1200ms"],
            "--reconnects: 1.2 s may be over before the first attempt, which waits up to 1.2 s; give more\n",
        ),
        (["--source=eth0"], "--source: 'eth0' is no IP address of this machine"),
        (["--source=192.0.2.1"], "--source: 192.0.2.1: Cannot assign requested address"),
        (["--workers=nonsense"], "--workers: 'nonsense' starts nothing"),
        (["--connections=99999999"], "--connections: 99,999,999 are more than anything carries"),
        (["--cluster=", "--workers=popen"], "--workers and --cluster: give one of them"),
    ],
)
def test_values_that_make_no_sense(capsys, arguments, message):
    assert command("ws://127.0.0.1:9/", *arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "status"), [(["--ramp=1h"], 2), (["--metrics=192.0.2.1:9464"], 2)])
def test_a_cluster_is_left_whatever_is_refused(monkeypatch, capsys, arguments, status):
    clients = fake_distributed(monkeypatch)

    assert command("ws://127.0.0.1:9/", "--cluster=tcp://x:1", *arguments) == status
    assert [client.closed for client in clients] == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--client=ie6"], "--client: 'ie6' is no kind of client"),
        (["--profile=none"], "--profile: 'none' is unknown"),
        (["--ca=none.pem"], "--ca: there is no file 'none.pem'"),
    ],
)
def test_what_no_connection_opens_with_is_told_in_a_line(capsys, arguments, message):
    """Some of it is seen when the first one opens."""
    assert command("wss://127.0.0.1:9/", *arguments) == 2
    lines = capsys.readouterr().err.splitlines()

    assert lines[-1].startswith(f"wsstability fleet: {message}")
    assert len(lines) <= 2


def test_a_host_elsewhere_is_treated_gently(capsys):
    assert command("ws://no-such-host.invalid/", connections=2_000, seconds="10m") == 2
    assert (
        "2,000 connections (at most 1,000 without agreement): give --load-agreed" in capsys.readouterr().err
    )


def test_metrics_are_served_meanwhile(url, capsys):
    assert command(url, "--metrics=127.0.0.1:0", seconds="1500ms") == 0

    assert re.search(r"^metrics: http://127\.0\.0\.1:\d+/metrics$", capsys.readouterr().err, re.MULTILINE)


def test_no_address_for_metrics(url, capsys):
    """Refused before a plan is told."""
    assert command(url, "--metrics=9464", seconds="1500ms") == 2
    assert capsys.readouterr().err.startswith("wsstability fleet: --metrics: '9464' is no address")


def test_a_report_of_a_fleet(url, tmp_path):
    paths = [tmp_path / f"a.{kind}" for kind in ("json", "jsonl", "md", "html", "xml")]
    assert command(url, *(f"--report={path}" for path in paths)) == 0
    (held,) = json.loads(paths[0].read_text())["results"]

    assert held["nodeid"] == f"wsstability fleet {held['url']}"
    assert held["fleet"]["count"]["stable"] == 5
    assert "wsstability fleet" in paths[2].read_text()
    assert all(path.stat().st_size for path in paths)


@pytest.mark.parametrize("output", [[], ["--json"]])
def test_a_fleet_is_judged_and_summarized_once(url, tmp_path, monkeypatch, output):
    """Of 100,000 connections each of it takes seconds, and a report is there within ten."""
    made = []

    def once(name, function):
        return lambda *given, **more: (made.append(name), function(*given, **more))[1]

    monkeypatch.setattr(FleetRequirement, "check", once("judged", FleetRequirement.check))
    monkeypatch.setattr(held_fleet, "summarize", once("summarized", held_fleet.summarize))
    reports = [f"--report={tmp_path / name}" for name in ("a.html", "a.json", "a.md")]

    assert command(url, *output, *reports) == 0
    assert made == ["judged", "summarized"]


def test_a_report_that_cannot_be_is_refused_before_the_fleet(url, capsys):
    assert command(url, "--report=a.txt") == 2
    assert "'a.txt': a report cannot be '.txt'" in capsys.readouterr().err


def test_how_a_fleet_goes_in_a_line_and_a_line_for_each_worker():
    """What a terminal shows: round trips as far as they are told, returns, each worker."""
    merge = FleetMerge(FleetPlan(connections=4, hold=60.0, workers=2))
    assert _of_workers(merge) == ["  worker 0: nothing yet", "  worker 1: nothing yet"]
    counts = [0] * (len(RTT_LIMITS) + 1)
    counts[2], counts[5] = 90, 10
    back = Return(number=0, at=3.0, after=1.0, attempts=1)
    lost = Ending(number=0, fate=Fate.ENDED, age=2.0, at=2.0, cause="restart")
    for slot in (0, 1):
        endings, returns = ((lost,), (back,)) if slot == 0 else ((), ())
        frame = Frame(slot=slot, attempt=1, sequence=0, at=3.0, opened=2, rtt_counts=tuple(counts))
        merge.add(dataclasses.replace(frame, endings=endings, returns=returns))
    merge.names[1] = "popen"

    assert _state(merge) == (
        "3 s: 3 open, 0 stable, 1 ended (1 restart), rtt p50 <5 ms p95 <50 ms, 1 came back"
    )
    assert _of_workers(merge) == ["  worker 0: 1 open, 1 ended", "  worker 1 (popen): 2 open"]


def test_what_has_yet_to_open_is_not_open():
    """As data, the parts add up to the plan at each time, and causes and round trips are told meanwhile."""
    merge = FleetMerge(FleetPlan(connections=10, hold=60.0))
    assert [_numbers(merge)[name] for name in ("open", "unopened", "causes")] == [0, 10, {}]

    lost = Ending(number=0, fate=Fate.ENDED, age=2.0, at=2.0, cause="restart")
    refused = Ending(number=1, fate=Fate.REFUSED, age=0.0, at=2.0, cause="overload")
    back = Return(number=0, at=3.0, after=1.0, attempts=1)
    counts = [59] + [0] * len(RTT_LIMITS)
    merge.add(
        Frame(
            slot=0, attempt=1, sequence=0, at=3.0, opened=4, rtt_counts=tuple(counts),
            endings=(lost, refused), returns=(back,),
        )
    )  # fmt: skip
    now = _numbers(merge)

    assert (now["open"], now["unopened"], now["ended"], now["refused"]) == (3, 5, 1, 1)
    assert (now["causes"], now["came_back"]) == ({"restart": 1}, 1)
    assert (now["rtt_p50_below"], now["rtt_p95_below"]) == (0.001, 0.001)


def test_one_worker_has_no_line_of_its_own_and_few_round_trips_tell_nothing():
    merge = FleetMerge(FleetPlan(connections=4, hold=60.0))
    counts = [58] + [0] * len(RTT_LIMITS)
    merge.add(Frame(slot=0, attempt=1, sequence=0, at=3.0, opened=4, rtt_counts=tuple(counts)))

    assert _of_workers(merge) == []
    assert _state(merge) == "3 s: 4 open, 0 stable, 0 ended, rtt p50 <1 ms"
    beats = {"heartbeats_sent": 12, "heartbeats_answered": 7, "heartbeats_one_way": 4}
    merge.add(Frame(slot=0, attempt=1, sequence=1, at=4.0, **beats))
    assert _state(merge) == "4 s: 4 open, 0 stable, 0 ended, heartbeats 7/8, 4 one-way, rtt p50 <1 ms"
    assert _numbers(merge)["heartbeats_one_way"] == 4


def test_advice_names_the_options_of_the_command(capsys):
    """As hold's does: those of pytest have a prefix."""
    with serving(faults=[(0, faults.RefuseUpgrade(401))]) as url:
        assert command(url, connections=1) == 1
    printed = capsys.readouterr().out

    assert "  fix       give what the server asks for: a token (--header 'Authorization: ...')" in printed
    assert "--ws-" not in printed


@pytest.mark.parametrize(
    ("path", "message"),
    [("folder.md", "'{}' is a directory; give a file"), ("file/a.md", "'{}' cannot be written: ")],
)
def test_a_report_that_cannot_be_written_is_told_before_one_opens(tmp_path, capsys, path, message):
    """And not when the hour is over, and the report lost."""
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "file").touch()
    report = tmp_path / path
    assert command("ws://127.0.0.1:9/", f"--report={report}") == 2
    out, err = capsys.readouterr()

    assert (out, err.startswith(f"wsstability fleet: --report: {message.format(report)}")) == ("", True)


def test_a_disk_that_is_full_by_then_is_told_with_the_report(url, tmp_path, capsys, monkeypatch):
    """The other one is written, though it comes later."""
    write = Path.write_text

    def full(path, *text, **keywords):
        if path.suffix == ".html":
            raise OSError(28, "No space left on device")
        return write(path, *text, **keywords)

    monkeypatch.setattr(Path, "write_text", full)
    reports = [f"--report={tmp_path / name}" for name in ("a.html", "a.json")]

    assert command(url, *reports, seconds="1500ms") == 2
    out, err = capsys.readouterr()
    assert "5 planned: 5 stable" in out
    assert err.endswith(f"--report: '{tmp_path / 'a.html'}' was not written: No space left on device\n")
    assert (tmp_path / "a.json").exists()


def test_the_folder_of_a_report_is_made(url, tmp_path):
    """As `--ws-report` does it."""
    report = tmp_path / "new" / "a.json"

    assert command(url, f"--report={report}") == 0
    assert json.loads(report.read_text())["results"]
