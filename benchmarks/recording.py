"""CPU time of holds with and without a recording of their timelines, relative to the holds' own."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pytest_wsstability import connect
from pytest_wsstability.core.result import Run
from pytest_wsstability.plugin.reports.jsonl import JsonlWriter

from .figures import Figure, middle, spread
from .processes import raw_server

CONNECTIONS = 200
# Each has a heartbeat a second: 25 times as many as usual, so that there is much to write down.
HEARTBEAT = 1.0
SECONDS = 4.0
ROUNDS = 7


def figures() -> Iterator[Figure]:
    """
    What a recording adds, in percent of what the holds themselves take; beside it, both in percent of a core.

    One hold by itself pays for each second's writing alone, and its share is larger: of a few hundredths
    of a percent of a core.

    """
    with raw_server() as url, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.jsonl"
        plain, recorded = asyncio.run(_measure(url, path))
        size = path.stat().st_size
    of = f"{CONNECTIONS} holds, a heartbeat a second each"
    shares = [[100 * seconds / SECONDS for seconds in each] for each in (plain, recorded)]
    added = [after - before for before, after in zip(*shares, strict=True)]
    relative = [100 * more / before for more, before in zip(added, shares[0], strict=True)]
    yield Figure(
        name="CPU of the holds", value=middle(shares[0]), unit="% of a core", of=f"{of}, {spread(shares[0])}"
    )
    yield Figure(name="CPU that a recording adds", value=middle(added), unit="% of a core", of=spread(added))
    yield Figure(
        name="the same, of the holds' own", value=middle(relative), unit="%", limit=5.0, of=spread(relative)
    )
    yield Figure(name="written", value=size / SECONDS / 1024, unit="KiB/s", of=of)


async def _measure(url: str, path: Path) -> tuple[list[float], list[float]]:
    """CPU seconds of each round, without a recording and with one; the first round warms up."""
    times: tuple[list[float], list[float]] = [], []
    for number in range(ROUNDS + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            seconds = await _hold(url, path if which else None)
            if number:
                times[which].append(seconds)
    return times


async def _hold(url: str, path: Path | None) -> float:
    """CPU seconds of holding all connections, their opening and closing left out."""
    writer = JsonlWriter([path], Run(started="", tool="", machine=""), _clock) if path else None
    options: dict[str, Any] = {"opened": partial(writer.watch, "t", None)} if writer else {}
    connections = await asyncio.gather(
        *(connect(url, heartbeat=HEARTBEAT, inbox=0, **options) for _ in range(CONNECTIONS))
    )
    start = time.process_time()
    await asyncio.sleep(SECONDS)
    taken = time.process_time() - start
    await asyncio.gather(*(connection.close() for connection in connections))
    if writer is not None:
        writer.over("t")
        writer.close(())
    return taken


def _clock(opened: float | None) -> float:
    return time.monotonic() if opened is None else opened
