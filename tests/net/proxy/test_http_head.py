"""Where the opening handshake ends."""

import pytest

from pytest_wsstability.net.proxy.http_head import HandshakeReader

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "is_response", "read", "status"),
    [
        (REQUEST, False, len(REQUEST), None),
        (REQUEST + b"frame", False, len(REQUEST), None),
        (ACCEPTED + b"frame", True, len(ACCEPTED), 101),
        (REFUSED + b"body", True, len(REFUSED), 401),
        # RFC 9110, section 15.2: interim responses come before the real one.
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + ACCEPTED + b"x", True, 28 + len(ACCEPTED), 101),
        (b"SSH-2.0-x\r\n\r\nx", True, 13, None),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_the_end_is_found(data, is_response, read, status, size):
    """However the bytes are cut; what comes behind is not counted."""
    reader = HandshakeReader(is_response=is_response)
    found = 0
    for position in range(0, len(data), size):
        if not reader.done:
            found += reader.feed(data[position : position + size])

    assert (reader.done, found, reader.status) == (True, read, status)


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n", REQUEST[:-1], b"\x16\x03\x01\x02\x00"])
def test_what_has_no_end_goes_on(data):
    """All of it belongs to the handshake so far."""
    reader = HandshakeReader(is_response=False)

    assert reader.feed(data) == len(data)
    assert not reader.done
