"""
Whether a verdict can be trusted on a machine that is busy, and in a process that stands still.

    python -m tests.real.trust healthy --holds 1000
    python -m tests.real.trust stopped --holds 500

Holds of several shapes, many at once in each of several processes, against a reference server in a process of
its own. *healthy*: with every core busy, none is unstable, and at most one in a hundred inconclusive.
*stopped*: each process is stopped for 3 to 8 seconds of its holds; none is stable that lost the time of a
heartbeat, and none blames the server. Exit 1, and a line for each hold that says otherwise.

"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import websockets

from pytest_wsstability import Orchestrator, Outcome, Requirement, hold
from pytest_wsstability.core.cause import Blame

from .load import busy

HOLD = 20.0
# By turns: what each hold is held to, and the server.
SHAPES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"heartbeat_every": 1, "heartbeat_within": 1, "session_within": 10}, "json"),
    ({"heartbeat_every": 2, "session_within": 10}, "json"),
    ({"heartbeat_every": 1, "heartbeat_within": 2}, "frames"),
    # Without heartbeats: a proof of life at the end.
    ({"session_within": 10}, "json"),
    # A server that gives up on who stands still: on a busy machine it may be right.
    ({"heartbeat_every": 1, "heartbeat_within": 2}, "impatient"),
)
# Servers of healthy holds starve as all others do where every core is busy: they answer within seconds, and
# of a thousand holds that want each answer within one, two are rightly told that answers were slow.
HEALTHY: tuple[tuple[dict[str, Any], str], ...] = (
    ({"heartbeat_every": 1, "heartbeat_within": 5, "session_within": 20}, "json"),
    ({"heartbeat_every": 5, "session_within": 20}, "json"),
    ({"heartbeat_every": 1, "heartbeat_within": 5}, "frames"),
    ({"session_within": 20}, "json"),
)
SHAPES_OF = {"healthy": HEALTHY, "stopped": SHAPES}
# Holds in one process, and how long a process is stopped: seconds from the opening of the last of its holds.
IN_ONE = {"healthy": 250, "stopped": 50}
STOPPED_FOR, STOPPED_AT = (3.0, 8.0), (2.0, 6.0)
# Of healthy holds.
INCONCLUSIVE_MAX = 0.01


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one hold."""

    outcome: str
    headline: str
    # None without a diagnosis.
    blame: str | None
    # Seconds that a heartbeat may take; None for a hold without any.
    within: float | None
    # Seconds for which its process was stopped.
    stopped: float = 0.0

    @property
    def is_wrong(self) -> str:
        """What must not be, after a stop of the process; empty if it is right."""
        if self.within is not None and self.stopped > self.within and self.outcome == Outcome.STABLE.value:
            return "stable, though it lost the time of a heartbeat"
        return "the server is blamed" if self.blame == Blame.SERVER.value else ""


# In processes of their own.


async def _serve() -> None:
    """Servers, one for each profile and one that is impatient; says their addresses."""
    options: dict[str, Any] = {"read_deadline": None, "ping_interval": "5s"}
    impatient = websockets.serve(_wait, "127.0.0.1", 0, ping_interval=1, ping_timeout=2)
    async with (
        Orchestrator(**options) as talking,
        Orchestrator(profile="frames", **options) as plain,
        impatient as third,
    ):
        urls = {"json": talking.url, "frames": plain.url}
        urls["impatient"] = f"ws://127.0.0.1:{third.sockets[0].getsockname()[1]}/"
        print(json.dumps(urls), flush=True)
        await asyncio.Event().wait()


async def _wait(connection: Any) -> None:
    await connection.wait_closed()


async def _hold_all(claim: str, urls: dict[str, str], first: int, count: int) -> None:
    """Hold so many at once; says when all are open, and what came of each."""
    waiting = count

    def opened(connection: object) -> None:
        nonlocal waiting
        waiting -= 1
        if not waiting:
            print("open", flush=True)

    async def one(number: int) -> Told:
        shapes = SHAPES_OF[claim]
        written, server = shapes[number % len(shapes)]
        profile = "json" if server == "json" else "frames"
        requirement = Requirement.of(alive_for=HOLD, **written)
        # One after the other, as the tests of a run begin.
        await asyncio.sleep((number - first) * 0.01)
        soak = await hold(requirement, url=urls[server], profile=profile, opened=opened, open_timeout="60s")
        found = soak.verdict.diagnosis
        return Told(
            soak.verdict.outcome.value,
            soak.verdict.headline,
            found.blame.value if found is not None else None,
            requirement.answer_within,
        )

    told = await asyncio.gather(*map(one, range(first, first + count)))
    print(json.dumps([asdict(each) for each in told]), flush=True)


# The claims.


@contextmanager
def _process(*args: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", __spec__.name if __spec__ else "tests.real.trust", *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"a process of the holds ended with {process.wait()} and said nothing")
    return line


def healthy(count: int) -> list[Told]:
    """Holds with every core busy."""
    with ExitStack() as stack:
        urls = _line(stack.enter_context(_process("_serve")))
        stack.enter_context(busy())
        processes = [
            stack.enter_context(_process("_hold", "healthy", urls, str(first), str(many)))
            for first, many in _shares(count, IN_ONE["healthy"])
        ]
        for process in processes:
            _line(process)
        return [Told(**each) for process in processes for each in json.loads(_line(process))]


def stopped(count: int, *, seed: int = 0) -> list[Told]:
    """Holds in processes that are stopped for a while, each for another one."""
    draw = random.Random(seed)
    with ExitStack() as stack:
        urls = _line(stack.enter_context(_process("_serve")))
        processes = [
            stack.enter_context(_process("_hold", "stopped", urls, str(first), str(many)))
            for first, many in _shares(count, IN_ONE["stopped"])
        ]
        seconds = [draw.uniform(*STOPPED_FOR) for _ in processes]
        for process in processes:
            _line(process)
        now = time.monotonic()
        acts = [
            act
            for process, length in zip(processes, seconds, strict=True)
            for at in [now + draw.uniform(*STOPPED_AT)]
            for act in ((at, process, signal.SIGSTOP), (at + length, process, signal.SIGCONT))
        ]
        for at, process, number in sorted(acts, key=lambda act: act[0]):
            time.sleep(max(0.0, at - time.monotonic()))
            process.send_signal(number)
        return [
            Told(**{**each, "stopped": length})
            for process, length in zip(processes, seconds, strict=True)
            for each in json.loads(_line(process))
        ]


def _shares(count: int, most: int) -> Iterator[tuple[int, int]]:
    for first in range(0, count, most):
        yield first, min(most, count - first)


def complaints(claim: str, told: list[Told]) -> list[str]:
    """What of a claim does not hold, a line each."""
    if claim == "stopped":
        return [f"{wrong}: {each}" for each in told if (wrong := each.is_wrong)]
    lines = [f"unstable: {each.headline}" for each in told if each.outcome == Outcome.UNSTABLE.value]
    doubtful = [each.headline for each in told if each.outcome == Outcome.INCONCLUSIVE.value]
    if len(doubtful) > INCONCLUSIVE_MAX * len(told):
        lines += [f"inconclusive: {headline}" for headline in doubtful]
    return lines


def main() -> int:
    """See the top of this file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("claim", choices=["healthy", "stopped"])
    parser.add_argument("--holds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.monotonic()
    told = healthy(options.holds) if options.claim == "healthy" else stopped(options.holds, seed=options.seed)
    counts = Counter(each.outcome for each in told)
    print(f"{len(told)} holds in {time.monotonic() - begun:.0f} s, {options.claim}: {dict(counts)}")
    wrong = complaints(options.claim, told)
    print("\n".join(wrong or ["as claimed"]))
    return bool(wrong)


if __name__ == "__main__":
    if sys.argv[1:2] == ["_serve"]:
        asyncio.run(_serve())
    elif sys.argv[1:2] == ["_hold"]:
        asyncio.run(_hold_all(sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
    else:
        sys.exit(main())
