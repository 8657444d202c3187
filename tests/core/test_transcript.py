"""What was said, with payloads."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.transcript import Transcript, TranscriptMessage


def test_it_stops_at_its_limit():
    """What comes after is counted, also what would fit: a transcript has no holes."""
    kept = Transcript(most=10)
    for payload in ("12345", "123456", "1"):
        kept.add(1.0, payload, sent=True)

    assert [each.payload for each in kept.messages] == ["12345"]
    assert kept.left_out == 2


@pytest.mark.parametrize("payload", ["text", b"\x00\xff", "", b"", "ä\n"])
def test_it_survives_json(payload):
    """On its way from a worker."""
    said = TranscriptMessage(1.5, False, payload)

    assert TranscriptMessage.from_list(json.loads(json.dumps(said.as_list()))) == said
