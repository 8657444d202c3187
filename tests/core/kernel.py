"""What the kernel would say about a connection."""

from __future__ import annotations

import sys

from pytest_wsstability.core.timeline.tcp import TCP_INFO_SIZE


def info(state=1, *, retransmits=0, probes=0, backoff=0, unacked=0, last_ack_recv=0, rtt=0):
    """A struct tcp_info, every field that nobody reads filled with ones."""
    data = bytearray(b"\xff" * TCP_INFO_SIZE)
    data[0], data[2], data[3], data[4] = state, retransmits, probes, backoff
    for offset, value in ((24, unacked), (56, last_ack_recv), (68, rtt)):
        data[offset : offset + 4] = value.to_bytes(4, sys.byteorder)
    return bytes(data)
