"""wsstability report: earlier report files, merged and shown."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pytest_wsstability import cli
from pytest_wsstability.core.result import Run
from pytest_wsstability.report.json_file import render
from tests.report.made import cut, doubtful, expected, good, hostile, run


@pytest.fixture
def file(tmp_path):
    """The path of a report with these results."""

    def write(*results, name="a.json", **changes):
        path = tmp_path / name
        path.write_text(render(dataclasses.replace(run(*results), **changes)))
        return str(path)

    return write


@pytest.fixture
def report(capsys):
    """Run the command in this process: ``status, stdout, stderr = report(path)``."""

    def runner(*arguments):
        status = cli.main(["report", *arguments])
        return status, *capsys.readouterr()

    return runner


@pytest.mark.parametrize(
    ("results", "changes", "expected_status"),
    [
        ([good()], {}, 0),
        ([good(), expected(cut())], {}, 0),
        ([], {}, 0),
        ([good(), cut(), doubtful()], {}, 1),
        ([good(), doubtful()], {}, 3),
        ([good()], {"complaints": ("a gate",)}, 1),
    ],
)
def test_what_it_exits_with(file, report, results, changes, expected_status):
    """As a hold does: the worst of them."""
    assert report(file(*results, **changes))[0] == expected_status


def test_several_nights(file, report):
    """One summary of all, and a line each."""
    paths = [
        file(good(), name="b.json", started="2026-11-25T02:00:00Z"),
        file(cut(), name="a.json", started="2026-11-24T02:00:00Z"),
    ]
    status, out, err = report(*paths)

    assert (status, err) == (1, "")
    assert out.splitlines()[-3:] == [
        "virtual time: 1 of 2 holds stable, 1 unstable; watched for 120 s at most",
        "run of 2026-11-24T02:00:00Z, virtual time: 0 of 1 holds stable, 1 unstable; watched for "
        "60 s at most",
        "run of 2026-11-25T02:00:00Z, virtual time: 1 of 1 holds stable; watched for 120 s at most",
    ]
    assert "    cause: 1006 at 60 s of 120 s: no close frame received or sent; FIN" in out


def test_an_empty_one(file, report):
    """It says so."""
    assert report(file())[1] == "no connection was held\n"


def test_json(file, report):
    """One object that is a report itself, and nothing else."""
    _, out, _ = report(file(good()), file(cut(), name="b.json", started="2026-11-25T02:00:00Z"), "--json")

    assert len(Run.from_dict(json.loads(out)).results) == 2


def test_other_forms(file, report, tmp_path):
    """Written, and not printed."""
    pytest.importorskip("jinja2")
    targets = [str(tmp_path / name) for name in ("m.md", "m.json", "m.jsonl", "m.html")]
    status, out, _ = report(file(cut()), *(f"--to={target}" for target in targets))

    assert (status, out) == (1, "")
    assert (tmp_path / "m.md").read_text().startswith("## WebSocket stability")
    assert (tmp_path / "m.html").read_text().startswith("<!doctype html>")
    assert report(targets[1])[1] == report(targets[2])[1] == report(file(cut()))[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.json"], "wsstability report: missing.json: No such file or directory"),
        (["x.html"], "wsstability report: x.html: '.html' is no report that can be read; give a .json or"),
        (["x.json", "--to=y.pdf"], "wsstability report: 'y.pdf': a report cannot be '.pdf'; valid ones: "),
    ],
)
def test_bad_input(report, arguments, message):
    """Usage, with the reason."""
    status, out, err = report(*arguments)

    assert (status, out) == (2, "")
    assert err.startswith(message)


def test_a_hostile_report_is_harmless(file, report):
    """What a server once sent moves no cursor today."""
    _, out, _ = report(file(hostile()))

    assert "\x1b" not in out
