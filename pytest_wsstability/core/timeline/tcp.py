"""What the kernel says about a TCP connection: is the network dead, the process, or only its reader?"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

# struct tcp_info, linux/tcp.h: tcpi_state at 0, tcpi_retransmits 2, tcpi_probes 3, tcpi_backoff 4 (bytes),
# tcpi_unacked at 24, tcpi_last_ack_recv 56 (ms), tcpi_rtt 68 (us) (32 bits each, of the host's order).
# The kernel only ever adds fields at the end.
_TCP_INFO = struct.Struct("=BxBBB3x16xI28xI8xI")
TCP_INFO_SIZE = _TCP_INFO.size

# at, then last_ack_recv (ms), unacked, send_queue, rtt (us), then four bytes.
_RECORD = struct.Struct("<dIIII4B")
TCP_CAPACITY = 8
_LIMIT = TCP_CAPACITY * _RECORD.size
_MAX = 0xFFFFFFFF

# Those of ss(8); the numbers are those of net/tcp_states.h.
TCP_STATES = (
    "", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
    "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
)  # fmt: skip
_CLOSED = TCP_STATES.index("CLOSE")


@dataclass(frozen=True, slots=True)
class TcpSample:
    """
    One look at the kernel's side of a connection (Linux, ``TCP_INFO`` and ``SIOCOUTQ``).

    What it tells apart (measured):

    - a dead network: ``unacked`` >= 1 and ``retransmits`` rising;
    - a frozen process behind a living kernel: everything acknowledged, ``unacked`` and ``send_queue`` 0;
    - a peer that does not read: ``unacked`` 0, ``send_queue`` large, ``probes`` or ``backoff`` above 0.

    """

    # Seconds since the opening handshake ended.
    at: float
    # The state's name, such as "ESTABLISHED".
    state: str
    # Segments sent that the peer's kernel has not acknowledged.
    unacked: int
    # Times that the oldest of them was sent again in vain; 0 again when an acknowledgement comes.
    retransmits: int
    # Times that the wait for an acknowledgement, or for a window, was doubled.
    backoff: int
    # Probes of a window of zero, or of keepalive, without an answer yet.
    probes: int
    # Seconds since the last acknowledgement came.
    last_ack_recv: float
    # Bytes that this end's kernel holds because they are not acknowledged, or not even sent.
    send_queue: int
    # The kernel's smoothed round trip time in seconds.
    rtt: float


def state_name(info: bytes) -> str | None:
    """The state's name in a ``struct tcp_info``; None for a number that has none."""
    number = info[0]
    return TCP_STATES[number] if 0 < number < len(TCP_STATES) else None


def add_sample(buffer: bytearray, at: float, info: bytes, send_queue: int) -> None:
    """
    Append what ``TCP_INFO`` gave to a buffer of the last `TCP_CAPACITY` samples, oldest first.

    Of a row of samples in which nothing waits for the peer, the first and the last stay: what was wrong
    before is worth more than the tenth proof that all is well. A socket that the kernel has closed
    holds nothing any more, so it adds no sample.

    Args:
        buffer: 28 bytes a sample.
        at: seconds since the opening handshake ended.
        info: ``struct tcp_info``, at least `TCP_INFO_SIZE` bytes.
        send_queue: bytes, as ``SIOCOUTQ`` says.

    """
    state, retransmits, probes, backoff, unacked, last_ack, rtt = _TCP_INFO.unpack_from(info)
    if state == _CLOSED:
        return
    record = _RECORD.pack(
        at, last_ack, unacked, min(send_queue, _MAX), rtt, state, retransmits, backoff, probes
    )
    size = _RECORD.size
    if len(buffer) >= 2 * size and _is_calm(record):
        one, other = buffer[-2 * size : -size], buffer[-size:]
        if _is_calm(one) and _is_calm(other) and one[24] == other[24] == state:
            buffer[-size:] = record
            return
    if len(buffer) == _LIMIT:
        del buffer[:size]
    buffer += record


def _is_calm(record: bytes | bytearray) -> bool:
    """Nothing is under way to the peer, and nothing was repeated (see `_RECORD`)."""
    return not any(record[12:20]) and not any(record[25:28])


def samples(buffer: bytearray | None) -> tuple[TcpSample, ...]:
    """The samples in a buffer of `add_sample`, oldest first; none for None."""
    return tuple(_sample(*fields) for fields in _RECORD.iter_unpack(buffer or b""))


def packed(looks: Iterable[TcpSample]) -> bytearray:
    """The buffer from which `samples` gives these."""
    buffer = bytearray()
    for look in looks:
        state = TCP_STATES.index(look.state) if look.state in TCP_STATES else 0
        numbers = (round(look.last_ack_recv * 1000), look.unacked, look.send_queue, round(look.rtt * 1e6))
        buffer += _RECORD.pack(look.at, *numbers, state, look.retransmits, look.backoff, look.probes)
    return buffer


def _sample(
    at: float,
    last_ack: int,
    unacked: int,
    send_queue: int,
    rtt: int,
    state: int,
    retransmits: int,
    backoff: int,
    probes: int,
) -> TcpSample:
    name = TCP_STATES[state] if state < len(TCP_STATES) else str(state)
    return TcpSample(
        at=at,
        state=name,
        unacked=unacked,
        retransmits=retransmits,
        backoff=backoff,
        probes=probes,
        last_ack_recv=last_ack / 1000,
        send_queue=send_queue,
        rtt=rtt / 1_000_000,
    )
