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


@pytest.mark.parametrize(
    ("fragments", "whole"),
    [(["Hel", "", "lo"], "Hello"), ([b"a", b"b"], b"ab"), (["", ""], ""), ([b""], b"")],
)
def test_a_message_in_fragments_is_one_message(fragments, whole):
    """With the instant at which it was whole; what comes between stands before it."""
    said = Transcript()
    for at, payload in enumerate(fragments, 1):
        said.add_fragment(float(at), payload, fin=at == len(fragments))
    said.add(9.0, "next", sent=False)

    assert [(each.at, each.sent, each.payload) for each in said.messages] == [
        (float(len(fragments)), True, whole), (9.0, False, "next"),
    ]  # fmt: skip


@pytest.mark.parametrize(("most", "kept"), [(10, ["1234567890"]), (9, [])])
def test_a_message_in_fragments_needs_room_for_all_of_it(most, kept):
    """Or none of it is kept, and what comes after is left out too."""
    said = Transcript(most=most)
    for payload in ("12345", "67", "8"):
        said.add_fragment(1.0, payload, fin=False)
    said.add_fragment(1.0, "90", fin=True)
    said.add(2.0, "x", sent=True)

    assert [each.payload for each in said.messages] == kept
    assert said.left_out == (1 if kept else 2)


def test_a_stream_that_is_too_long_takes_no_memory():
    """One message may be sent for hours."""
    said = Transcript(most=10)
    for _ in range(1000):
        said.add_fragment(1.0, b"xx", fin=False)

    assert not said._begun


def test_sixteen_mebibytes_of_messages_are_kept():
    said = Transcript()
    said.add(1.0, b"x" * 2**24, sent=True)
    said.add(2.0, b"x", sent=True)

    assert ([len(each.payload) for each in said.messages], said.left_out) == ([2**24], 1)
