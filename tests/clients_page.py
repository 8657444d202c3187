"""The table of docs/clients.md, of what the tests measure: `python -m tests.clients_page` writes it."""

from __future__ import annotations

import math
import sys
from pathlib import Path

from tests.protocols.comeback import BRIEFLY, CLIENTS, Client, Range
from tests.real import comeback as on_node

PAGE = Path(__file__).parent.parent / "docs/clients.md"
BEGIN = "<!-- from here on: python -m tests.clients_page -->\n"


def made() -> str:
    """Everything below the mark."""
    names = (
        "client", "comes back after", "waits while refused with `Retry-After: 7`",
        f"attempts in {BRIEFLY:g} s where each connection is closed at once", "to know",
    )  # fmt: skip
    head = f"| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
    return head + "\n".join(map(_row, [*CLIENTS, *on_node.CLIENTS])) + "\n"


def _row(client: Client) -> str:
    after = "; ".join(
        [_seconds(client.after), *(f"after {end}: {_seconds(given)}" for end, given in client.others.items())]
    )
    refused = ", ".join(map(_seconds, client.refused)) or "none"
    low, high = client.ended_at_once
    storm = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    if high == math.inf:
        storm = f"more than {low:g}"
    return f"| {client.name} | {after} | {refused} | {storm} | {client.note} |"


def _seconds(given: Range | None) -> str:
    if given is None:
        return "never"
    low, high = given
    return f"{low:g} s" if low == high else f"{low:g} to {high:g} s"


if __name__ == "__main__":
    head = PAGE.read_text().partition(BEGIN)[0]
    PAGE.write_text(head + BEGIN + "\n" + made())
    sys.stdout.write(f"{PAGE.name} is written\n")
