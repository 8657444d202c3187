"""Runs that are kept, and compared with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plugin.test_summary import GREEN

BAD = GREEN.replace('"25s")', '"25s", client="mute")')


@pytest.fixture
def kept(pytester):
    """The names of the files that were kept."""
    return lambda folder=".wsstability": sorted(
        path.name for path in (pytester.path / folder).glob("*/*.json")
    )


@pytest.fixture
def module(pytester):
    """Run a source under the same name each time: a test is known by its node id."""

    def runner(source, *args):
        pytester.makepyfile(test_it=source)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *args)

    return runner


def test_runs_are_numbered(module, kept, pytester):
    """A file a run, in a folder of the platform."""
    for name in ("main", "main", "v1.2"):
        result = module(GREEN, "--ws-save", name)

    assert result.ret == 0
    assert kept() == ["0001_main.json", "0002_main.json", "0003_v1.2.json"]
    result.stdout.fnmatch_lines(["run kept as .wsstability/*-64bit/0003_v1.2.json"])
    (path,) = pytester.path.glob(".wsstability/*/0001_main.json")
    assert json.loads(path.read_text())["results"][0]["verdict"]["outcome"] == "stable"


def test_the_folder_is_the_projects_choice(module, kept, ini):
    """By ini, for caches of CI."""
    ini("ws_storage = results/ws")
    module(GREEN, "--ws-save", "main")

    assert kept("results/ws") == ["0001_main.json"]


def test_nothing_worse(module):
    """One line, and exit code 0."""
    module(GREEN, "--ws-save", "main")
    result = module(GREEN, "--ws-compare")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["compared with 0001_main: nothing is worse"])


def test_a_regression_is_a_line(module):
    """Named in the summary, no traceback of ours; the test itself has failed."""
    module(GREEN, "--ws-save", "main")
    result = module(BAD, "--ws-compare", "main")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "✗ worse than 0001_main: test_it.py::test_soak: was stable, now pongs withheld, *",
            "*(1006 at 60 s of 120 s)",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_regression_of_a_test_that_is_skipped_when_inconclusive_fails_the_run(module):
    """No test fails, and yet what was stable is so no more."""
    module(GREEN, "--ws-save", "main")
    source = GREEN.replace("    pass", "    ws_soak.assert_heartbeats_answered(within='5s', at_least=40)")
    result = module(source, "--ws-inconclusive=skip")
    assert result.ret == pytest.ExitCode.OK

    result = module(source, "--ws-inconclusive=skip", "--ws-compare")
    assert result.parseoutcomes() == {"skipped": 1}
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_other_requirements_are_refused_with_the_difference(module):
    """They would compare apples with pears."""
    module(GREEN, "--ws-save", "main")
    result = module(GREEN.replace('"2m"', '"3m"'), "--ws-compare")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["✗ not comparable with 0001_main: test_it.py::test_soak: alive_for=120.0 then, 180.0 now"]
    )


@pytest.mark.parametrize(("wanted", "name"), [("", "0003_b"), ("a", "0002_a"), ("1", "0001_a"),
                                              ("0001", "0001_a"), ("0003_b", "0003_b")])  # fmt: skip
def test_which_run(module, wanted, name):
    """The latest, the latest of a name, one by its number or by the name of its file."""
    for each in ("a", "a", "b"):
        module(GREEN, "--ws-save", each)
    result = module(GREEN, f"--ws-compare={wanted}" if wanted else "--ws-compare")

    result.stdout.fnmatch_lines([f"compared with {name}: nothing is worse"])


def test_saving_and_comparing_at_once(module, kept):
    """A run is not compared with itself."""
    module(GREEN, "--ws-save", "main")
    result = module(BAD, "--ws-save", "main", "--ws-compare")

    assert kept() == ["0001_main.json", "0002_main.json"]
    result.stdout.fnmatch_lines(["✗ worse than 0001_main: *"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "ERROR: --ws-compare: *0001_main.json is damaged: Expecting property name *"),
        (
            '{"schema": 7}',
            "ERROR: --ws-compare: 0001_main.json: its schema is 7, and this version reads 2: *",
        ),
        (
            '{"schema": 1}',
            "ERROR: --ws-compare: 0001_main.json: its schema is 1, and this version reads 2: *",
        ),
        ("[]", "ERROR: --ws-compare: 0001_main.json: this is no report of pytest-wsstability"),
        ('{"schema": 2}', "ERROR: --ws-compare: 0001_main.json: 'started' is missing"),
    ],
)
def test_a_damaged_baseline_is_refused_before_the_run(module, pytester, text, message):
    """An hour later it would be too late."""
    module(GREEN, "--ws-save", "main")
    (path,) = pytester.path.glob(".wsstability/*/0001_main.json")
    path.write_text(text)
    result = module(GREEN, "--ws-compare")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_no_baseline(module):
    """Said before the run, with those that there are."""
    result = module(GREEN, "--ws-compare")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --ws-compare: no run '' in *; there are: none; --ws-save NAME keeps one"]
    )

    module(GREEN, "--ws-save", "main")
    result = module(GREEN, "--ws-compare=nightly")
    result.stderr.fnmatch_lines(["ERROR: --ws-compare: no run 'nightly' in *; there are: 0001_main"])


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x"])
def test_names_that_are_none(module, name):
    """They become names of files."""
    result = module(GREEN, f"--ws-save={name}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ws-save: {name!r} is no name; give letters, digits, *"])


def test_a_folder_that_cannot_be_written(module, pytester, ini):
    """Before the run, too."""
    (pytester.path / "occupied").touch()
    ini("ws_storage = occupied")
    result = module(GREEN, "--ws-save=main")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ws-save: *occupied* cannot be written: 'occupied' is a file, *"])


def test_a_full_disk_costs_the_saved_run_and_no_more(module, kept, pytester, monkeypatch):
    """It says so, by its exit code too; what was kept before stays."""
    module(GREEN, "--ws-save", "main")
    write = Path.write_text

    def full(path, text, **options):
        if path.name == "0002_main.json":
            write(path, text[:10], **options)
            raise OSError(28, "No space left on device")
        return write(path, text, **options)

    monkeypatch.setattr(Path, "write_text", full)
    result = module(GREEN, "--ws-save", "main", "--ws-report=a.json")

    assert result.ret == 1
    assert kept() == ["0001_main.json"]
    result.stdout.fnmatch_lines(
        ["the run was not kept: No space left on device", "report written to *a.json"]
    )


@pytest.mark.slow
def test_with_xdist(module, kept):
    """The controller keeps and compares."""
    module(GREEN, "--ws-save", "main", "-n2", "-p", "no:looptime_plugin")
    result = module(GREEN, "--ws-compare", "-n2", "-p", "no:looptime_plugin")

    assert kept() == ["0001_main.json"]
    result.stdout.fnmatch_lines(["compared with 0001_main: nothing is worse"])
