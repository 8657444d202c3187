"""Reports that are read back, and several of them as one."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.result import SchemaError
from pytest_wsstability.report import json_file, jsonl
from pytest_wsstability.report.reading import merged, read
from tests.report.made import cut, good, run

MADE = run(good(), cut(), complaints=("a gate",))


@pytest.mark.parametrize(("name", "render"), [("a.json", json_file.render), ("a.jsonl", jsonl.render)])
def test_both_forms_are_the_same_run(tmp_path, name, render):
    """Whoever has one of them has all there is."""
    path = tmp_path / name
    path.write_text(render(MADE))

    assert read(path).as_dict() == MADE.as_dict()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.html", b"", r"a\.html: '\.html' is no report that can be read; give a \.json or \.jsonl report$"),
        ("a", b"", r"a: it has no suffix; give a "),
        ("a.json", b"", r"a\.json: this is no JSON: Expecting value"),
        ("a.json", b"{}", r"a\.json: this is no report of pytest-wsstability$"),
        ("a.json", b"\xff\xfe", r"a\.json: this is no text$"),
        ("a.jsonl", b"\xff\xfe", r"a\.jsonl: this is no text$"),
        ("a.jsonl", b"", r"a\.jsonl: this is no report of pytest-wsstability$"),
        (
            "a.json",
            b'{"schema": 1}',
            r"a\.json: its schema is 1, and this version reads 2: make it anew by another run, or read it "
            r"with the version of pytest-wsstability that wrote it$",
        ),
    ],
)
def test_what_cannot_be_read(tmp_path, name, content, message):
    """Named with its path."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(SchemaError, match=message):
        read(path)


def test_nights_and_workers_as_one():
    """All results, when the first of them began, each machine once."""
    one = dataclasses.replace(run(good(worker="gw0")), started="2026-11-25T02:00:00Z", machine="a")
    two = dataclasses.replace(run(cut(worker="gw1"), complaints=("x",)), machine="b")
    both = merged([one, two, dataclasses.replace(two, started="2026-11-26T02:00:00Z")])

    assert (both.started, both.machine, both.complaints) == ("2026-11-24T02:00:00Z", "a; b", ("x",))
    assert [result.worker for result in both.results] == ["gw0", "gw1", "gw1"]


def test_the_same_run_twice_counts_once():
    """As when both its .json and its .jsonl are given."""
    assert len(merged([MADE, MADE]).results) == 2
