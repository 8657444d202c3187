"""Lost packets, a dead path and a dead peer are told apart by what the kernel sent again."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.lossy_path import FREEZE
from tests.real.servers import tool

pytestmark = [pytest.mark.soak, pytest.mark.servers, pytest.mark.real]

ROOT = Path(__file__).resolve().parents[2]
# A namespace with a network of its own, which goes with its process: nothing is dropped elsewhere.
ALONE = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
WITHIN = 120
# Half of the packets, ten in a row: for longer than a second, however eagerly a kernel sends again.
LOSS = "numgen inc mod 20 < 10"


@functools.cache
def missing() -> str | None:
    """Why packets cannot be lost here."""
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2"), ("nft", "nftables")):
        if tool(program) is None:
            return f"{program} is not installed: apt-get install {package}"
    command = [*ALONE, tool("nft") or "nft", "add table inet loss"]
    done = subprocess.run(command, capture_output=True, text=True)
    return None if done.returncode == 0 else f"no namespace with nft here: {done.stderr.strip()}"


def said(within: str, ways: str, what: str) -> dict:
    """What is said of a hold during which that happened."""
    if reason := missing():
        pytest.skip(reason)
    command = [*ALONE, sys.executable, "-m", "tests.real.lossy_path", within, ways, what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    if found["outcome"] == "inconclusive":
        pytest.skip("the machine is too busy to measure anything")
    assert found["outcome"] == "unstable"
    return found


def test_a_process_that_stands_still_acknowledges():
    """Nothing has to be sent again, so it is no path."""
    found = said("5s", "", FREEZE)

    # A busy machine may send again what it need not.
    assert found["cause"] == "PEER_FROZEN" or found["sent_again"]


def test_a_dead_path_acknowledges_nothing():
    """From one instant on every packet is lost, either way."""
    found = said("5s", "dport sport", "")

    assert (found["cause"], found["confidence"]) == ("HALF_OPEN", "high")
    assert found["sent_again"] >= 2


def test_a_path_that_loses_packets_is_no_process_that_stands_still():
    """Packets are lost on their way to it: the kernel sends again."""
    found = said("1s", "dport", LOSS)

    assert found["cause"] != "PEER_FROZEN"
    assert found["confidence"] != "high"
    assert found["sent_again"] >= 1


def test_answers_that_are_lost_prove_no_process_that_stands_still():
    """What is lost on its way back is sent again by the other kernel, unseen."""
    found = said("1s", "dport sport", LOSS)

    assert found["confidence"] == "low" or found["cause"] not in ("PEER_FROZEN", "HALF_OPEN")
