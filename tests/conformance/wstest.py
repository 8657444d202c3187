"""
Autobahn's own fuzzing client and server, in an environment of Python 2.7, which is all that they run on.

``python -m tests.conformance.wstest`` makes that environment, or says why there is none. Of the Pythons
2.7 that there may be, ``PYTHON27`` names one.

"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pytest_wsstability import ConnectionEnded, Orchestrator, connect
from tests.everywhere import ROOT, find

# The newest release; from Python 3 on there is none.
SUITE = "autobahntestsuite==25.10.1"
# Later ones make no environments of Python 2.7.
MAKER = "virtualenv<20.22"

HOME = ROOT / ".venv-autobahn"
PYTHON = HOME / "env" / "bin" / "python"
# Written last, so that an environment that was given up is made anew.
READY = HOME / ".ready"

NO_PYTHON = "no Python 2.7: Autobahn's own fuzzing client and server not run"
FUZZING_SERVER = Path(__file__).with_name("fuzzing_server.py")
AGENT = "pytest-wsstability"

# An end that says nothing of its own, takes what comes, and compresses where the other end does.
QUIET = {"profile": "frames", "max_size": None, "compression": True}


def missing() -> str | None:
    """Why Autobahn's suite cannot run here; None if it can."""
    if READY.exists():
        return None
    if python27() is None:
        return NO_PYTHON
    return "Autobahn's own suite is not installed; python -m tests.conformance.wstest installs it"


def python27() -> str | None:
    """A Python 2.7 that runs; None if there is none."""
    named = os.environ.get("PYTHON27")
    return find((2, 7), needs="zlib, ssl", first=[named] if named else [])


def install() -> str | None:
    """Make the environment unless it is there; give why it could not be made, or None."""
    if (reason := missing()) is None or reason is NO_PYTHON:
        return reason
    shutil.rmtree(HOME, ignore_errors=True)
    maker = HOME / "maker"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(maker), MAKER]
    make = [sys.executable, "-m", "virtualenv", "--quiet", "--python", python27(), str(PYTHON.parents[1])]
    for command, environment in (
        (pip, {}),
        (make, {"PYTHONPATH": str(maker)}),
        ([str(PYTHON), "-m", "pip", "install", "--quiet", SUITE], {}),
    ):
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
        if done.returncode:
            return f"Autobahn's own suite could not be installed: {' '.join(command)}: {done.stderr.strip()}"
    READY.touch()
    return None


@dataclass(frozen=True)
class Outcome:
    """
    What Autobahn says of a case.

    Attributes:
        id: its number.
        behavior: of the messages: OK, NON-STRICT, INFORMATIONAL, UNIMPLEMENTED, FAILED.
        close: of the closing handshake: also UNCLEAN, WRONG CODE, FAILED BY CLIENT.
        told: what the case does, what it expects, and what came.

    """

    id: str
    behavior: str
    close: str
    told: str

    @property
    def passed(self) -> bool:
        """Both as RFC 6455 and 7692 have it."""
        return {self.behavior, self.close} <= {"OK", "NON-STRICT", "INFORMATIONAL"}

    def __str__(self) -> str:
        return f"{self.id}: {self.behavior}, closed {self.close}\n{self.told}"


def outcomes(folder: Path) -> list[Outcome]:
    """The outcomes in Autobahn's JSON reports."""
    found = []
    for case, short in json.loads((folder / "index.json").read_text())[AGENT].items():
        whole = json.loads((folder / short["reportfile"]).read_text(errors="replace"))
        told = "\n".join(
            f"  {key}: {' '.join(str(whole[key]).split())}"
            for key in ("description", "expectation", "result", "resultClose")
        )
        found.append(Outcome(case, short["behavior"], short["behaviorClose"], told))
    return found


def counted(found: list[Outcome]) -> str:
    """How many of each, in a line: "502 OK, 11 NON-STRICT"."""
    return ", ".join(
        f"{number} {name}" for name, number in Counter(each.behavior for each in found).most_common()
    )


def spec(folder: Path, cases: tuple[str, ...], **more: object) -> Path:
    """Write what Autobahn is to do, as a file beside the folder of its reports."""
    text = {"outdir": str(folder), "cases": cases, "exclude-cases": [], "exclude-agent-cases": {}, **more}
    file = folder.with_suffix(".json")
    file.write_text(json.dumps(text))
    return file


@contextlib.asynccontextmanager
async def running(log: Path, *command: object, **pipes: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of the environment, which ends with the block; what it prints goes into a file."""
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), **{"stdout": file, "stderr": file, **pipes}
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def of_a_server(folder: Path, *cases: str) -> list[Outcome]:
    """Our server under test: ``wstest -m fuzzingclient`` against the reference server, which echoes."""
    server = Orchestrator(ping_interval=None, read_deadline=None, echo=True, **QUIET)
    log, wstest = folder.with_suffix(".log"), PYTHON.with_name("wstest")
    async with server as orchestrator:
        file = spec(folder, cases, servers=[{"agent": AGENT, "url": orchestrator.url}])
        async with running(log, wstest, "--mode", "fuzzingclient", "--webport", 0, "--spec", file) as process:
            assert await process.wait() == 0, log.read_text(errors="replace")
    return outcomes(folder)


async def of_a_client(folder: Path, *cases: str) -> list[Outcome]:
    """Our client under test, which echoes, against the server of ``wstest -m fuzzingserver``."""
    async with fuzzing_server(folder, *cases) as url:
        counting = await connect(f"{url}/getCaseCount", **QUIET)
        number = int(await counting.recv())
        await counting.wait_closed()
        for case in range(1, number + 1):
            await echo(f"{url}/runCase?case={case}&agent={AGENT}")
        await echo(f"{url}/updateReports?agent={AGENT}")
    return outcomes(folder)


@contextlib.asynccontextmanager
async def fuzzing_server(folder: Path, *cases: str) -> AsyncIterator[str]:
    """A fuzzing server that runs; gives its URL."""
    log, file = folder.with_suffix(".log"), spec(folder, cases, url="ws://127.0.0.1:1")
    async with running(log, PYTHON, FUZZING_SERVER, file, stdout=subprocess.PIPE) as process:
        said = await process.stdout.readline()
        assert said, log.read_text(errors="replace")
        yield f"ws://127.0.0.1:{int(said)}"


async def echo(url: str) -> None:
    """Send each message back until the server ends the connection."""
    connection = await connect(url, **QUIET)
    with contextlib.suppress(ConnectionEnded):
        async for message in connection:
            await connection.send(message)
    await connection.wait_closed()


if __name__ == "__main__":
    print(install() or "Autobahn's own fuzzing client and server are there")
