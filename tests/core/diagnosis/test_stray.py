"""What stands where a frame should, by its bytes."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.stray import Stray

BYTES, GZIP, CHUNKS, COMPRESSION = "byte by byte", "gzip", "chunks of HTTP", "compression off"
NOTHING, CONTROL, ROLE, LENGTH, FRAGMENT, MIXED, WRONG = (
    "means nothing", "125 bytes at most", "masks wrongly", "as few bytes as they need", "continues nothing",
    "may not be mixed", "writes wrong frames: see its",
)  # fmt: skip
PASSED_ON, NO_CODE, REASON = "passes on what", "close with one of", "its reason in UTF-8"
KINDS = (
    PASSED_ON,
    NO_CODE,
    REASON,
    BYTES,
    GZIP,
    CHUNKS,
    COMPRESSION,
    NOTHING,
    CONTROL,
    ROLE,
    LENGTH,
    FRAGMENT,
    MIXED,
    WRONG,
)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", BYTES),
        (b"\x81", BYTES),
        (b"\x1f\x8b", GZIP),
        (b"5\r\n", CHUNKS),
        # Each of the reserved bits.
        (b"\xc1\x05", COMPRESSION),
        (b"\xa1\x05", COMPRESSION),
        (b"\x91\x05", COMPRESSION),
        # Each opcode.
        (b"\x80\x05", FRAGMENT),
        *((bytes([0x80 + opcode, 5]), MIXED) for opcode in (1, 2)),
        *((bytes([0x80 + opcode, 5]), WRONG) for opcode in (8, 9, 10)),
        *((bytes([0x80 + opcode, 5]), NOTHING) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        # Codes that stand for an end without one.
        *((b"\x88\x02" + code.to_bytes(2, "big"), PASSED_ON) for code in (1005, 1006, 1015)),
        *((b"\x88\x02" + code.to_bytes(2, "big"), NO_CODE) for code in (0, 999, 1004, 1016, 2999, 5000)),
        *((b"\x88\x02" + code.to_bytes(2, "big"), WRONG) for code in (1000, 1007, 1014, 3000, 4999)),
        (b"\x88\x03\x0f\xa1\xe4", REASON),
        (b"\x08\x03\x0f\xa1\xe4", WRONG),
        (b"\x88\x01\x0f", WRONG),
        # The length of a control frame is limited, that of a message is not.
        (b"\x88\x7d", WRONG),
        (b"\x88\x7e", CONTROL),
        (b"\x8a\x7f", CONTROL),
        (b"\x82\x7e", MIXED),
        # The shortest form of a length.
        (b"\x82\x7d\0\x05", MIXED),
        (b"\x82\x7e\0\x7d", LENGTH),
        (b"\x82\x7e\0\x7e", MIXED),
        (b"\x82\x7e\0", MIXED),
        (b"\x80\x7f\0\0\0\0\0\0\xff\xff", LENGTH),
        (b"\x82\x7f\0\0\0\0\0\1\0\0", MIXED),
        (b"\x82\x7f\0\0\0\0\0\0\xff", MIXED),
        # Only clients mask.
        (b"\x81\x80", ROLE),
        (b"\x81\x7f", MIXED),
    ],
)
def test_what_the_head_of_a_frame_says_of_who_wrote_it(head, kind):
    """As a client sees it."""
    remedy = Stray(head).remedy("client", "server")

    assert [each for each in KINDS if each in remedy] == [kind]
    assert "opcode" not in remedy or f"opcode {head[0] & 15:#x}," in remedy


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x88\x02\x03\xee", "1006 (abnormal closure)"),
        (b"\x88\x06\x00\x05idle", "5 (not a valid code) idle"),
        # Cut inside of a character, as it came or as it was kept.
        (b"\x88\x06\x0f\xa1f\xc3\xbc\xc3", "4001 (private use) f\u00fc\ufffd"),
        (b"\x88\x7d\x0f\xa1fu", "4001 (private use) fu"),
        # Longer than a control frame may be.
        (b"\x88\x7e\x00\xca\x03\xf0gone", "1008 (policy violation) gone"),
        # Masked.
        (b"\x88\x84\x01\x02\x03\x04\x02\xeakk", "1000 (normal closure) ho"),
        (b"\x88\x00", None),
        (b"\x88\x01\x03", None),
        (b"\x88\x80\x01\x02\x03\x04", None),
        (b"\x88", None),
        (b"\x08\x02\x03\xe8", None),
        (b"\xc8\x02\x03\xe8", None),
        (b"\x89\x02\x03\xe8", None),
    ],
)
def test_what_a_close_frame_says_that_was_refused(data, said):
    """Its code and its reason, as far as they are there."""
    close = Stray(data).close

    assert (close and str(close)) == said


@pytest.mark.parametrize(("head", "is_wrong"), [(b"\x81\x05", True), (b"\x81\x85", False)])
def test_a_server_is_sent_masked_frames(head, is_wrong):
    """RFC 6455, section 5.1."""
    assert (ROLE in Stray(head).remedy("server", "client")) is is_wrong


@pytest.mark.parametrize(
    ("data", "is_text"),
    [
        (b"printed\t", True),
        (b"printed\r\n", True),
        (b"printed\x1f", False),
        (b"printed ", True),
        (b"printed~", True),
        (b"printed\x7f", False),
        (b"printed\xff", False),
        (b"\x1bprinted", False),
        (b"printed\x04", False),
    ],
)
def test_text_is_printable(data, is_text):
    """Tabs and the ends of lines included, other control characters not."""
    assert Stray(data).is_text is is_text


@pytest.mark.parametrize(
    ("head", "is_tls"),
    [
        *((bytes([kind, 3, 3]), True) for kind in (20, 21, 22, 23)),
        *((bytes([kind, 3, 3]), False) for kind in (7, 19, 24, 60)),
        (b"\x16\x03\x00", True),
        (b"\x16\x03\x04", True),
        (b"\x16\x03\x05", False),
        (b"\x16\x02\x03", False),
        (b"\x16\x09\x03", False),
        (b"\x16\x03", False),
    ],
)
def test_a_record_of_tls_has_a_type_and_a_version(head, is_tls):
    """RFC 8446, section 5.1: all versions write 3.0 to 3.4."""
    assert Stray(head).is_tls is is_tls


def test_what_may_be_a_secret_is_not_shown_as_bytes():
    """What masks it stands there alone; of anything else the first bytes too, and sixty characters."""
    assert Stray(b"hello").shown == "68 65 6c 6c 6f (hello)"
    assert "68" not in Stray(b"Authorization: Bearer abcdefghijklmnopqrstuvwxyz").shown
    assert len(Stray(b"x" * 100).line) == 60


PAGE = b"<html>502 Bad Gateway</html>"


@pytest.mark.parametrize(
    ("data", "line", "runs_into_bytes"),
    [
        (b"read ECONNRESET", "read ECONNRESET", False),
        # What comes behind it: this end's close frame is answered, or frames go on.
        (PAGE + b"\x88\x02\x03\xea", PAGE.decode(), True),
        (PAGE + b"\r\n\x81\x02hi", PAGE.decode(), False),
        (b"<?xml?>.\0", "<?xml?>.", True),
        # Its first line may be short, or empty.
        (b"<br />\n<b>Warning</b>", "<br />", False),
        (b"\r\n\r\n502 Bad Gateway", "502 Bad Gateway", False),
    ],
)
def test_text_with_whatever_behind_it(data, line, runs_into_bytes):
    """It is text as far as it goes."""
    stray = Stray(data)

    assert (stray.is_text, stray.line, stray.runs_into_bytes) == (True, line, runs_into_bytes)


@pytest.mark.parametrize(
    "data", [b"", b"short\n", b"5\r\nhello\r\n", b"Ab\x81\x85 and text", b"\x81\x05hello"]
)
def test_what_is_no_text(data):
    """A chunk of HTTP is told by itself, and a few bytes are text by accident."""
    stray = Stray(data)

    assert not stray.is_text
    assert not stray.runs_into_bytes
