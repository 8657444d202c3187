"""What a run needs of this machine, and what is left of it."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import subprocess
import sys

import pytest

from pytest_wsstability import OpeningError, connect
from pytest_wsstability.core.cause import Blame, Cause
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.net import resources
from pytest_wsstability.net.errors import OpeningStage
from pytest_wsstability.net.resources import Available, Needs, claim, look, missing, shortage_of

MIB = 2**20


@pytest.mark.parametrize(
    ("needs", "left", "words"),
    [
        (
            Needs(connections=100),
            Available(descriptors=60),
            "100 holds need about 120 descriptors; 60 are left: raise the limit (ulimit -n), or hold fewer",
        ),
        (Needs(connections=100), Available(descriptors=120), None),
        (
            Needs(connections=0, workers=20),
            Available(descriptors=59),
            "20 workers need about 60 descriptors; 59 are left: raise the limit (ulimit -n), or start fewer",
        ),
        (Needs(connections=0, workers=20), Available(descriptors=60), None),
        (Needs(connections=16, workers=2), Available(memory=48 * MIB), "16 holds by 2 workers need about 49"),
        (Needs(connections=16, workers=2), Available(memory=49 * MIB), None),
        (Needs(connections=100), Available(descriptors=119), "need about 120 descriptors; 119 are left"),
        (Needs(connections=100, beside=100), Available(descriptors=219), "220 descriptors; 219 are left"),
        (Needs(connections=40_000, to_one_target=28_233), Available(ports=28_232), "28,233 holds to one"),
        (Needs(connections=40_000, to_one_target=28_232), Available(ports=28_232), None),
        (Needs(connections=16_000), Available(memory=999 * MIB), "holds need about 1,000 MiB of memory; 999"),
        (Needs(connections=16_000), Available(memory=1000 * MIB), None),
        # Nobody can tell.
        (Needs(connections=10**6, to_one_target=10**6), Available(), None),
    ],
)  # fmt: skip
def test_what_is_missing(needs, left, words):
    """Both numbers, and what helps."""
    found = missing(needs, left, what="holds")

    assert (found is None) == (words is None)
    assert (words or "") in (found or "")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EMFILE, "Too many open files"), Reason.DESCRIPTORS),
        (OSError(errno.ENFILE, "Too many open files in system"), Reason.DESCRIPTORS),
        (OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"), Reason.PORTS),
        (OSError(errno.ENOBUFS, "No buffer space available"), Reason.MEMORY),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), Reason.MEMORY),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Reason.RESOLVER),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), None),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), None),
        (TimeoutError(), None),
        (OSError("no number"), None),
        (ValueError(), None),
    ],
)
def test_which_errors_are_this_machines(error, reason):
    """By their numbers."""
    assert shortage_of(error) is reason


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EMFILE, Reason.DESCRIPTORS), (errno.EADDRNOTAVAIL, Reason.PORTS), (errno.ENOBUFS, Reason.MEMORY)],
)
async def test_an_opening_for_which_this_machine_lacks_something(monkeypatch, number, reason):
    """It blames no server."""

    async def refuse(*args, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    with pytest.raises(OpeningError) as failure:
        await connect("ws://127.0.0.1:9/")

    error = failure.value
    assert (error.stage, error.shortage) == (OpeningStage.CONNECT, reason)
    assert reason.value in str(error)
    assert (error.diagnosis.cause, error.diagnosis.blame) == (Cause.HARNESS_SHORT, Blame.HARNESS)


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_one_address_that_refuses_is_the_servers(monkeypatch):
    """Of several, where this machine has no address of the other family."""
    errors = iter([OSError(errno.EADDRNOTAVAIL, "none"), ConnectionRefusedError(errno.ECONNREFUSED, "no")])

    async def refuse(*args, **options):
        raise next(errors)

    async def resolve(*args, **options):
        kind = (socket.SOCK_STREAM, 6, "")
        return [
            (socket.AF_INET6, *kind, ("::1", 9, 0, 0)),
            (socket.AF_INET, *kind, ("127.0.0.1", 9)),
        ]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(loop, "create_connection", refuse)
    with pytest.raises(OpeningError) as failure:
        await connect("ws://server.example:9/")

    assert failure.value.shortage is None
    assert failure.value.diagnosis.blame is Blame.SERVER


def test_what_is_left_here():
    """More than nothing, where it can be told."""
    left = look()

    for found in (left.descriptors, left.ports, left.memory):
        assert found is None or found > 0


def test_what_nobody_tells(monkeypatch, tmp_path):
    """Another system, or a container without these files."""
    for name in ("_PORTS", "_MEMORY", "_LIMIT", "_TAKEN"):
        monkeypatch.setattr(resources, name, tmp_path / "none")

    left = look()

    assert left.ports is None
    assert left.memory is None


def test_a_container_that_has_a_limit(monkeypatch, tmp_path):
    """What it has taken of it is gone."""
    for name, text in (("_LIMIT", f"{100 * MIB}\n"), ("_TAKEN", f"{70 * MIB}\n"), ("_MEMORY", "Mem: x\n")):
        place = tmp_path / name
        place.write_text(text)
        monkeypatch.setattr(resources, name, place)
    assert look().memory == 30 * MIB

    (tmp_path / "_LIMIT").write_text("max\n")
    assert look().memory is None


RAISED = """
import resource
from pytest_wsstability.net.resources import Needs, claim, look
resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
print(claim(Needs(connections=200)))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 64)
"""


@pytest.mark.skipif(resources.resource is None, reason="this system has no limits of descriptors")
@pytest.mark.parametrize(("hard", "enough"), [(1024, True), (100, False)])
def test_the_own_limit_is_raised_where_it_may(hard, enough):
    """As far as the hard limit, and what is missing then is told."""
    told = subprocess.run(
        [sys.executable, "-c", RAISED.format(hard=hard)], check=True, capture_output=True, text=True
    ).stdout.splitlines()

    assert told[1] == "True"
    assert (told[0] == "None") is enough
    if not enough:
        assert told[0].startswith("200 connections need about 220 descriptors; ")


def test_nothing_is_claimed_that_is_there():
    """One connection asks for no more than there is."""
    assert claim(Needs(connections=1, to_one_target=1)) is None


@pytest.mark.parametrize(
    ("soft", "hard", "left", "most"),
    [
        (1_024, 20_000, 1_000, 20_000 - 24 - resources.SPARE),
        (1_024, 1_024, 10, 0),
        (1_024, resources.resource.RLIM_INFINITY, 1_000, None),
        (resources.resource.RLIM_INFINITY, resources.resource.RLIM_INFINITY, None, None),
    ],
)
def test_how_many_a_process_carries(monkeypatch, soft, hard, left, most):
    """What the hard limit allows, less what is open and what is needed beside."""
    monkeypatch.setattr(resources.resource, "getrlimit", lambda which: (soft, hard))
    monkeypatch.setattr(resources, "_descriptors", lambda: left)

    assert resources.carries() == most
