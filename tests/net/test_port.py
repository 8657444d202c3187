"""Where a server listens: the address is its own while it is down, too."""

import asyncio
import socket

import pytest

from pytest_wsstability import FaultProxy, Orchestrator
from pytest_wsstability.net.port import Port
from tests.net.peers import until

pytestmark = pytest.mark.ws_stability(time="real")


def taken(address):
    """Whether somebody else can have it."""
    with socket.socket() as other:
        try:
            other.bind(address)
        except OSError:
            return True
    return False


async def test_a_port_that_is_reserved_is_nobody_elses():
    """It refuses connections, nobody else gets it, and it can be opened again."""
    port = Port("127.0.0.1", 0, None)
    await port.open(asyncio.Protocol)
    (address,) = port.addresses
    port.close(reserve=True)

    assert taken(address)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)
    await port.open(asyncio.Protocol)
    assert port.addresses == [address]
    port.close()


@pytest.mark.parametrize("reserve", [True, False])
async def test_a_port_that_is_released_is_free(reserve):
    """Reserved before, or only closed."""
    port = Port("127.0.0.1", 0, None)
    await port.open(asyncio.Protocol)
    (address,) = port.addresses
    port.close(reserve=reserve)
    port.release()

    assert not taken(address)


async def test_a_server_that_restarts_keeps_its_port():
    """A free port may become the client's own: it would connect to itself."""
    async with Orchestrator() as orchestrator:
        (address,) = orchestrator._port.addresses
        restart = asyncio.ensure_future(orchestrator.restart(down_for="50ms"))
        await until(lambda: not orchestrator._port.is_open)
        assert taken(address)
        await restart
        assert orchestrator._port.addresses == [address]


async def test_a_proxy_that_refuses_keeps_its_port():
    """As its target does meanwhile."""
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url) as proxy:
        proxy.stop_listening()

        assert taken(proxy.address)
        await proxy.listen_again()
