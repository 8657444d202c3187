"""What the in-memory network has, what it refuses, and how many bytes it holds."""

import asyncio
import contextvars
import socket

import pytest

from pytest_wsstability.core.faults import Program
from pytest_wsstability.net.proxy.injector import FaultInjector
from pytest_wsstability.virtual import VirtualTimeError, run_virtual
from pytest_wsstability.virtual.connected import WINDOW
from pytest_wsstability.virtual.linked import link_ends
from pytest_wsstability.virtual.sockets import FIRST_NUMBER
from tests.virtual.carriers import Pair, Recording

LEAVES = "leaves the virtual network, so virtual time cannot apply"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def refused(start, what):
    """Run it, and check that it is refused with what it names."""

    async def main():
        with pytest.raises(VirtualTimeError) as error:
            await start(asyncio.get_running_loop())
        return str(error.value)

    text = run_virtual(main())
    assert what in text
    assert LEAVES in text
    assert "--ws-time real" in text
    return text


@pytest.mark.parametrize(
    ("host", "port", "shown"),
    [
        ("example.com", 443, "example.com:443"),
        ("93.184.216.34", 80, "93.184.216.34:80"),
        ("127.0.0.1", 9, "127.0.0.1:9"),
        ("localhost", 9, "127.0.0.1:9"),
        ("::1", 9, "[::1]:9"),
        ("2001:db8::1", 80, "[2001:db8::1]:80"),
    ],
)
def test_connections_that_leave_are_refused_by_address(host, port, shown):
    text = refused(
        lambda loop: loop.create_connection(Recording, host, port), f"a TCP connection to {shown} "
    )
    assert "nobody listens in it" in text


def test_what_does_listen_is_named():
    async def start(loop):
        server = await loop.create_server(Recording, ["127.0.0.1", "::1"], 8765)
        try:
            await loop.create_connection(Recording, "localhost", 8766)
        finally:
            server.close()

    assert "it has 127.0.0.1:8765, [::1]:8765" in refused(start, "127.0.0.1:8766")


def test_a_proxy_of_the_environment_is_named(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    text = refused(
        lambda loop: loop.create_connection(Recording, "proxy.example", 3128), "proxy.example:3128"
    )
    assert "HTTPS_PROXY=http://proxy.example:3128" in text


def test_the_password_of_a_proxy_is_not_shown(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")
    text = refused(
        lambda loop: loop.create_connection(Recording, "proxy.example", 3128), "proxy.example:3128"
    )
    assert "secret" not in text


def test_udp_is_refused():
    refused(
        lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("127.0.0.1", 53)),
        "a UDP socket for 127.0.0.1:53",
    )


def test_the_bare_number_of_a_listening_socket_is_refused():
    """Its accept() cannot be given another way: the socket itself can."""

    async def main():
        loop = asyncio.get_running_loop()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            number = listener.fileno()
            with pytest.raises(
                VirtualTimeError,
                match=rf"^descriptor {number} listens for TCP .*: give add_reader\(\) the socket itself",
            ):
                loop.add_reader(number, int)
            loop.add_reader(listener, int)
            return loop.remove_reader(number), loop.remove_reader(number)

    assert run_virtual(main()) == (True, False)


def test_kernel_tcp_is_refused_wherever_it_comes_from():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = listener.getsockname()
        shown = f"127.0.0.1:{address[1]}"
        with socket.create_connection(address) as sock:
            sock.setblocking(False)
            refused(lambda loop: loop.create_connection(Recording, sock=sock), shown)
            refused(lambda loop: loop.connect_accepted_socket(Recording, sock), shown)
            refused(lambda loop: loop.sock_recv(sock, 1), shown)
            refused(lambda loop: loop.sock_recv_into(sock, bytearray(1)), shown)
            refused(lambda loop: loop.sock_sendall(sock, b"x"), shown)

            async def watch_reading(loop):
                loop.add_reader(sock, int)

            async def watch_writing(loop):
                loop.add_writer(sock.fileno(), int)

            refused(watch_reading, shown)
            refused(watch_writing, shown)
        with socket.socket() as sock:
            sock.setblocking(False)
            refused(lambda loop: loop.sock_connect(sock, address), shown)


def test_a_virtual_socket_has_no_descriptor_to_wait_for():
    async def main():
        async with Pair() as pair:
            with pytest.raises(ValueError, match="it has no descriptor to wait for"):
                asyncio.get_running_loop().add_reader(
                    pair.client.transport.get_extra_info("socket").fileno(), int
                )

    run_virtual(main())


def test_the_first_number_of_the_virtual_network_is_no_descriptor():
    """Nor any that comes after it."""

    async def main():
        for number in (FIRST_NUMBER, FIRST_NUMBER + 1):
            with pytest.raises(ValueError, match="has no descriptor to wait for"):
                asyncio.get_running_loop().add_reader(number, print)

    run_virtual(main())


def test_free_ports_are_the_same_in_each_run():
    async def main():
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(Recording, "127.0.0.1", 0) for _ in range(3)]
        transport, _ = await loop.create_connection(Recording, *servers[0].sockets[0].getsockname())
        client = transport.get_extra_info("sockname")
        transport.abort()
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        for server in servers:
            server.close()
        return ports, client

    assert run_virtual(main()) == run_virtual(main()) == ([49152, 49153, 49154], ("127.0.0.1", 32768))


@pytest.mark.parametrize(
    ("hosts", "bound"),
    [
        (None, [("0.0.0.0", 49152), ("::", 49152, 0, 0)]),
        ("", [("0.0.0.0", 49152), ("::", 49152, 0, 0)]),
        ("localhost", [("127.0.0.1", 49152), ("::1", 49152, 0, 0)]),
        (["127.0.0.1", "::1", "127.0.0.1"], [("127.0.0.1", 49152), ("::1", 49152, 0, 0)]),
        ("::1", [("::1", 49152, 0, 0)]),
    ],
)
def test_hosts_of_a_server(hosts, bound):
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recording, hosts, 0)
        names = [sock.getsockname() for sock in server.sockets]
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            if any(sock.family == family for sock in server.sockets):
                transport, _ = await loop.create_connection(Recording, host, 49152)
                assert transport.get_extra_info("peername")[0] == host
                transport.abort()
        server.close()
        return names

    assert run_virtual(main()) == bound


def test_a_wildcard_of_both_families_that_the_kernel_bound():
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as sock:
            server = await loop.create_server(Recording, sock=sock)
            transport, _ = await loop.create_connection(Recording, "127.0.0.1", sock.getsockname()[1])
            peer = transport.get_extra_info("peername")
            transport.abort()
            server.close()
            return peer[0]

    assert run_virtual(main()) == "127.0.0.1"


def test_connections_that_nobody_accepted_are_reset_with_the_server():
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recording, "127.0.0.1", 0)
        connecting = asyncio.ensure_future(
            loop.create_connection(Recording, *server.sockets[0].getsockname())
        )
        listener = loop.network._listeners[49152][0]
        listener.accept = None
        _, protocol = await connecting
        server.close()
        await protocol.lost()
        return protocol.log

    assert run_virtual(main()) == [("made",), ("lost", "ConnectionResetError")]


def test_the_window_holds_what_a_reader_does_not_take():
    async def main():
        async with Pair() as pair:
            pair.server.transport.pause_reading()
            transport = pair.client.transport
            transport.write(b"x" * WINDOW)
            before = transport.get_write_buffer_size()
            transport.write(b"y" * 10)
            after = transport.get_write_buffer_size()
            pair.server.transport.resume_reading()
            await pair.server.received(WINDOW + 10)
            return before, after, transport.get_write_buffer_size(), asyncio.get_running_loop().time()

    assert run_virtual(main()) == (0, 10, 0, 0.0)


def test_a_link_brings_the_rest_once_a_reader_reads_again():
    """It holds what the window has no room for, and the writer what the link has no room for."""

    async def main():
        loop = asyncio.get_running_loop()
        async with Pair() as pair:
            ends = [end.transport.get_extra_info("socket") for end in (pair.client, pair.server)]
            link_ends(loop, FaultInjector(Program.of([])), *ends)
            pair.server.transport.pause_reading()
            pair.client.transport.write(b"x" * 4 * WINDOW)
            await asyncio.sleep(1)
            before = pair.client.transport.get_write_buffer_size()
            pair.server.transport.resume_reading()
            await pair.server.received(4 * WINDOW)
            return before, pair.client.transport.get_write_buffer_size(), loop.time()

    # The window and the link hold as much as each other.
    assert run_virtual(main()) == (2 * WINDOW, 0, 1.0)


def test_bytes_in_flight_come_before_any_timer():
    async def main():
        async with Pair() as pair:
            asyncio.get_running_loop().call_later(1e-9, pair.client.log.append, ("timer",))
            pair.server.transport.write(b"x" * 16 * WINDOW)
            await pair.client.received(16 * WINDOW)
            return ("timer",) in pair.client.log

    assert run_virtual(main()) is False


def test_what_is_written_together_arrives_together():
    async def main():
        async with Pair() as pair:
            for chunk in (b"one", b"two", b"three"):
                pair.client.transport.write(chunk)
            await pair.server.received(11)
            return [entry for entry in pair.server.log if entry[0] == "data"]

    assert run_virtual(main()) == [("data", b"onetwothree")]


def test_a_mutable_buffer_is_copied():
    async def main():
        async with Pair() as pair:
            buffer = bytearray(b"before")
            pair.client.transport.write(buffer)
            buffer[:] = b"after!"
            await pair.server.received(6)
            return pair.server.data

    assert run_virtual(main()) == b"before"


def test_callbacks_run_in_the_context_of_their_own_connection():
    who = contextvars.ContextVar("who", default="nobody")

    class Asking(Recording):
        def data_received(self, data):
            self.note("data", who.get().encode())

    async def main():
        async with Pair(server=Asking()) as pair:
            who.set("writer")
            pair.client.transport.write(b"x")
            await pair.server.received(1)
            return pair.server.data

    assert run_virtual(main()) == b"nobody"


def test_a_link_can_stand_between_two_ends():
    class Delay:
        """A wire that takes a second for each segment."""

        def __init__(self, loop, far):
            self._loop = loop
            self._far = far

        def take(self, data):
            self._loop.call_later(1, self._far.take, data)
            return len(data)

        def fin(self):
            self._loop.call_later(1, self._far.fin)

        def reset(self):
            self._loop.call_later(1, self._far.reset)

        def acknowledge(self):
            self._far.acknowledge()

    async def main():
        loop = asyncio.get_running_loop()
        async with Pair() as pair:
            end = pair.client.transport.get_extra_info("socket")
            end.wire = Delay(loop, end.wire)
            pair.client.transport.write(b"slow")
            await pair.server.received(4)
            at = loop.time()
            pair.client.transport.close()
            await pair.server.lost()
            return at, loop.time(), pair.server.data

    assert run_virtual(main()) == (1, 2, b"slow")


@pytest.mark.parametrize(("where", "shown"), [(("127.0.0.1",), "127.0.0.1:0"), ((None, 9), ":9")])
def test_a_host_or_a_port_alone_says_where_to_connect(where, shown):
    """As in asyncio: no port is the number 0, and no host this machine."""
    refused(lambda loop: loop.create_connection(Recording, *where), shown)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({}, "host and port was not specified and no sock specified"),
        ({"host": "127.0.0.1", "port": 1, "sock": object()}, "host/port and sock can not be specified"),
        ({"port": 1, "sock": object()}, "host/port and sock can not be specified"),
    ],
)
def test_where_to_connect_is_said_once(where, words):
    """As asyncio has it."""

    async def main():
        with pytest.raises(ValueError, match=words):
            await asyncio.get_running_loop().create_connection(Recording, **where)

    run_virtual(main())


def test_connections_go_over_links_until_they_are_direct_again():
    """Whoever injects faults is asked for one link each."""

    class Asked(Exception):
        pass

    class Injector:
        def link(self, *ends):
            raise Asked

    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Recording, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        loop.link_connections(address, Injector())
        with pytest.raises(Asked):
            await loop.create_connection(Recording, *address)
        loop.link_connections(address, None)
        transport, _ = await loop.create_connection(Recording, *address)
        transport.close()
        server.close()

    run_virtual(main())


def test_closing_the_loop_closes_what_is_left():
    async def main():
        loop = asyncio.get_running_loop()
        sock = socket.create_server(("127.0.0.1", 0))
        await loop.create_server(Recording, sock=sock)
        return sock

    assert run_virtual(main()).fileno() == -1
