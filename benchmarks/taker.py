"""A WebSocket server that takes messages, and says so once it has had so many; in a process of its own."""

from __future__ import annotations

import asyncio
import sys

from pytest_wsstability import Connection, Orchestrator


async def main(measure: int) -> None:
    """Serve until stdin ends; the port is the only thing printed."""

    async def take(connection: Connection) -> None:
        taken = 0
        async for _ in connection:
            taken += 1
            if taken % measure == 0:
                await connection.send("taken")

    async with Orchestrator(profile="frames", handler=take, read_deadline=None) as orchestrator:
        print(orchestrator.url.rpartition(":")[2].rstrip("/"), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
