"""docs/reconnects.md names what there is: every fault of the server, and every assertion."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_wsstability import Connection, Orchestrator, Session
from pytest_wsstability.core.faults.peer import PEER_FAULTS
from pytest_wsstability.core.faults.protocol import PROTOCOL_FAULTS

PAGE = (Path(__file__).parent.parent / "docs/reconnects.md").read_text()


def test_every_fault_of_the_server_is_there():
    """One row each, or a row for several."""
    table = PAGE.partition("| fault |")[2]
    named = {name for row in table.splitlines() if row.startswith("| `") for name in _code(row.split("|")[1])}

    assert named == {fault.name for fault in (*PEER_FAULTS, *PROTOCOL_FAULTS)}


def test_every_assertion_of_the_page_exists():
    """On a connection, a session or the orchestrator."""
    homes = (Connection, Orchestrator, Session)

    for name in set(re.findall(r"\b(assert_\w+)", PAGE)):
        assert any(hasattr(home, name) for home in homes), name


def _code(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)
