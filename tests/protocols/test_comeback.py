"""Each line of docs/clients.md, measured: the clients against the orchestrator, in virtual time."""

from __future__ import annotations

import pytest

from tests.clients_page import BEGIN, PAGE, made
from tests.protocols.comeback import CLIENTS, ENDS, attempts_when_ended_at_once, waits, waits_when_refused

pytestmark = [
    pytest.mark.ws_stability(time="virtual", patch_time=True),
    # The libraries' own business.
    pytest.mark.filterwarnings("ignore"),
]
each_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
# Loops count in floats, and clients look at their clocks.
_SLACK = 0.1


@pytest.mark.slow
@each_client
@pytest.mark.parametrize("end", ENDS)
async def test_how_soon_it_comes_back(client, end):
    """After each end as the page says, whatever the code: none of them reads it."""
    found = await waits(client, end)

    if client.after is None:
        assert found == []
    else:
        low, high = client.after
        assert low - _SLACK <= found[0] <= high + _SLACK


@each_client
async def test_nobody_honours_retry_after(client):
    """The server asks for 7 s, and the waits are the client's own."""
    found = await waits_when_refused(client)

    assert len(found) >= len(client.refused)
    for seconds, (low, high) in zip(found, client.refused, strict=False):
        assert low - _SLACK <= seconds <= high + _SLACK
    if client.after is None:
        assert found == []


@pytest.mark.slow
@each_client
async def test_who_makes_a_storm(client):
    """Where a server takes each connection and closes it at once."""
    low, high = client.ended_at_once

    assert low <= await attempts_when_ended_at_once(client) <= high


def test_the_page_is_made_from_the_table():
    """python -m tests.clients_page"""
    assert PAGE.read_text().partition(BEGIN)[2].strip() == made().strip()
