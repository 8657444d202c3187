"""The head of a frame as it stands on the wire."""

import pytest

from pytest_wsstability.net.wire import head
from tests.net.peers import BINARY, CLOSE, PING, PONG, TEXT, frame


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_opcode_and_length_are_read(opcode, size, masked):
    """All three forms of the length (RFC 6455, section 5.2), masked or not."""
    assert head(frame(opcode, bytes(size), masked=masked)) == (opcode, size)


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_fin_and_reserved_bits_are_no_part_of_the_opcode(opcode):
    """Only four bits are."""
    for fin in (True, False):
        assert head(frame(opcode, b"xy", fin=fin, rsv=7)) == (opcode, 2)
