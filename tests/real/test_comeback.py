"""Each line of docs/clients.md about a client on node, measured in real time."""

from __future__ import annotations

import pytest

from tests.protocols.comeback import ENDS
from tests.real import nodes
from tests.real.comeback import CLIENTS, measured

pytestmark = [pytest.mark.servers, *nodes.needs("jssip")]
each_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
# On a busy machine a wait is measured longer; and shorter, where the attempt before it arrived late.
_EARLY, _LATE = 0.5, 8.0


@pytest.fixture(scope="module")
def found():
    return measured()


def _is_within(seconds, claimed):
    low, high = claimed
    return low - _EARLY <= seconds <= high + _LATE


@each_client
def test_how_soon_it_comes_back(client, found):
    """After each end as the page says; two of them read the close code."""
    waits = found[client.name].after

    assert waits.keys() == ENDS.keys()
    for end, seconds in waits.items():
        claimed = client.others.get(end, client.after)
        assert (seconds is None) if claimed is None else _is_within(seconds, claimed), end


@each_client
def test_nobody_honours_retry_after(client, found):
    """The server asks for 7 s, and the waits are the client's own."""
    waits = found[client.name].refused

    assert len(waits) >= len(client.refused)
    for seconds, claimed in zip(waits, client.refused, strict=False):
        assert _is_within(seconds, claimed)


@each_client
def test_who_makes_a_storm(client, found):
    """Where a server takes each connection and closes it at once."""
    low, high = client.ended_at_once

    assert low <= found[client.name].at_once <= high
