"""HTTP Archives of holds."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.result import Result
from pytest_wsstability.core.transcript import TranscriptMessage
from pytest_wsstability.report.har import render
from tests.report.made import REQUIREMENT, cut, good, run

START = datetime(2026, 11, 24, 2, tzinfo=UTC).timestamp()


def entries(*results):
    log = json.loads(render(run(*results)))["log"]
    assert (log["version"], log["creator"]) == ("1.2", {"name": "pytest-wsstability", "version": "0.1.0"})
    return log["entries"]


def test_an_entry_has_what_har_asks_for():
    """HAR 1.2, section "entries": viewers refuse files that lack one of these."""
    (entry,) = entries(cut(started_at=5.0))

    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
    assert entry["startedDateTime"] == "2026-11-24T02:00:05.000+00:00"
    assert entry["time"] == 60_000
    assert (entry["request"]["method"], entry["response"]["status"]) == ("GET", 101)
    assert entry["_resourceType"] == "websocket"
    assert "1006 at 60 s of 120 s" in entry["comment"]


def test_frames_stand_at_their_instants_without_payloads():
    """Seconds of the epoch, as Chromium writes them."""
    (entry,) = entries(good())
    first, second = entry["_webSocketMessages"][:2]

    assert first == {"type": "send", "time": START + 25, "opcode": 1, "data": "", "_length": 15}
    assert (second["type"], second["time"]) == ("receive", START + 25.1)


def test_payloads_where_they_were_taken_down():
    """Binary is base64, as Chromium has it."""
    said = (TranscriptMessage(1.0, True, "hello"), TranscriptMessage(2.5, False, b"\x00\xff"))
    (entry,) = entries(dataclasses.replace(good(), transcript=said))

    assert entry["_webSocketMessages"] == [
        {"type": "send", "time": START + 1, "opcode": 1, "data": "hello"},
        {"type": "receive", "time": START + 2.5, "opcode": 2, "data": "AP8="},
    ]


def test_what_did_not_open_is_no_entry():
    """There is nothing to show of it."""
    never = Result(
        nodeid="t", url="", requirement=REQUIREMENT, verdict=judge(REQUIREMENT, good().timelines[0])
    )

    assert entries(never) == []


def test_a_query_is_told_without_its_secrets():
    """The URL of a result is masked already."""
    (entry,) = entries(good(url="wss://a.example/ws?token=***&room=7"))

    assert entry["request"]["queryString"] == [
        {"name": "token", "value": "***"},
        {"name": "room", "value": "7"},
    ]
