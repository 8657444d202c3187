"""Several source addresses, on the kernel's network: each has local ports of its own."""

import asyncio
import dataclasses
import re
import sys
from collections import Counter

import pytest
import websockets

from pytest_wsstability import OpeningError, Requirement, connect
from pytest_wsstability.fleet import WorkerError, open_fleet
from pytest_wsstability.net import resources
from pytest_wsstability.net.fleet.engine import check_here
from pytest_wsstability.net.fleet.job import FleetJob
from pytest_wsstability.net.resources import Available, Needs, missing
from pytest_wsstability.net.target import check_route

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8"),
]


async def serving(use):
    """What came of a server's use, and from where connections to it came."""
    seen = Counter()

    async def handler(websocket):
        seen[websocket.remote_address[0]] += 1
        async for _ in websocket:
            pass

    async with websockets.serve(handler, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        return await use(f"ws://127.0.0.1:{port}"), seen


def test_connections_are_opened_from_each_in_turn():
    async def use(url):
        sources = ["127.0.1.2", "127.0.2.2"]
        asked = {"alive_for": "200ms", "options": {"profile": "frames"}, "sources": sources}
        async with open_fleet(url, connections=6, ramp=0, **asked) as made:
            pass
        return made

    made, seen = asyncio.run(serving(use))

    assert seen == {"127.0.1.2": 3, "127.0.2.2": 3}
    assert made.merge.subnets == {"127.0.1.0/24": 3, "127.0.2.0/24": 3}


def test_one_connection_may_have_a_source():
    async def use(url):
        connection = await connect(url, source="127.0.0.7")
        address = connection.local_address
        await connection.close()
        return address, connection.local_address

    (address, after), seen = asyncio.run(serving(use))

    assert (address, after, seen) == ("127.0.0.7", None, {"127.0.0.7": 1})


@pytest.mark.parametrize(
    ("sources", "lacks"), [(["127.0.0.2", "127.0.0.3"], False), (["127.0.0.2"] * 2, True)]
)
def test_an_address_that_is_given_twice_has_its_ports_once(monkeypatch, sources, lacks):
    monkeypatch.setattr(resources, "_ports", lambda: 100)
    if not lacks:
        check_here(200, sources)
        return
    with pytest.raises(
        WorkerError, match=r"^200 connections to one address need as many local ports; there "
    ):
        check_here(200, sources)


def test_an_address_of_another_machine():
    """TEST-NET-1 (RFC 5737): nobody has it."""
    with pytest.raises(WorkerError, match=r"^sources: 192\.0\.2\.1: Cannot assign requested address; give"):
        check_here(1, ["127.0.0.2", "192.0.2.1"])

    async def use(url):
        await connect(url, source="192.0.2.1")

    with pytest.raises(OpeningError, match=r"no local port was left at 192\.0\.2\.1 here"):
        asyncio.run(serving(use))


@pytest.mark.parametrize(
    ("source", "host", "told"),
    [
        ("127.0.0.2", "::1", "IPv4 address, from which nothing goes to '::1'; give one of IPv6"),
        ("::1", "127.0.0.1", "IPv6 address, from which nothing goes to '127.0.0.1'; give one of IPv4"),
        (
            "127.0.0.2",
            "fe80::1%eth0",
            "IPv4 address, from which nothing goes to 'fe80::1%eth0'; give one of ",
        ),
        ("127.0.0.2", "127.0.0.1", None),
        ("::1", "::1", None),
        # It may have addresses of both.
        ("::1", "localhost", None),
    ],
)
def test_nothing_goes_from_one_version_of_ip_to_the_other(source, host, told):
    if told is None:
        check_route(source, host)
        return
    with pytest.raises(ValueError, match=rf"^source: '{source}' is an {re.escape(told)}"):
        check_route(source, host)


def test_sources_of_the_wrong_version_are_told_before_anything_opens():
    """Nobody listens there, which would be blamed on the server; a proxy stands between."""
    made = FleetJob(url="ws://[::1]:9/", requirement=Requirement.of(alive_for="1s"), sources=("127.0.0.2",))
    with pytest.raises(ValueError, match=r"^source: '127\.0\.0\.2' is an IPv4 address"):
        made.check_options()
    with pytest.raises(ValueError, match=r"^source: '127\.0\.0\.2' is an IPv4 address"):
        asyncio.run(connect("ws://[::1]:9/", source="127.0.0.2"))
    for way in ({"proxy": "http://127.0.0.1:9"}, {"address": ("127.0.0.1", 9)}):
        dataclasses.replace(made, options=way).check_options()


def test_what_is_no_address():
    with pytest.raises(ValueError, match=r"^source: 'eth0' is no IP address of this machine"):
        asyncio.run(connect("ws://127.0.0.1:1", source="eth0"))


@pytest.mark.parametrize(("sources", "lacks"), [(1, True), (2, True), (3, False)])
def test_each_has_ports_of_its_own(sources, lacks):
    """28,232 for each: 60,000 need three."""
    needs = Needs(connections=60_000, to_one_target=60_000, sources=sources)
    told = missing(needs, Available(ports=28_232))

    assert (told is not None) is lacks
    if told is not None:
        assert "28,232" in told
        assert "use several source addresses" in told
