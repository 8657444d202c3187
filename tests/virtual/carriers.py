"""Running one script over memory and over kernel TCP, and writing down what its protocols see."""

import asyncio

from pytest_wsstability.virtual import run_virtual

# Real seconds after which a script on kernel sockets has failed.
PATIENCE = 20

MB = 1024 * 1024


def on_memory(script):
    return run_virtual(script())


def on_kernel(script):
    async def patient():
        return await asyncio.wait_for(script(), PATIENCE)

    return asyncio.run(patient())


def flatten(log):
    """A log without what differs between two kernels: where a stream of bytes is cut, and addresses."""
    flat = []
    for entry in log:
        if entry[0] == "data" and flat and flat[-1][0] == "data":
            flat[-1] = ("data", flat[-1][1] + entry[1])
        else:
            flat.append(entry)
    return flat


class Recording(asyncio.Protocol):
    """Writes down its callbacks."""

    def __init__(self, *, keep_open=False):
        self.log = []
        self.keep_open = keep_open
        self.transport = None
        self._waiters = []

    def note(self, *entry):
        self.log.append(entry)
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def until(self, condition):
        """Wait for a condition that callbacks bring about."""
        while not condition(self):
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    async def lost(self):
        await self.until(lambda self: any(entry[0] == "lost" for entry in self.log))

    async def received(self, size):
        await self.until(lambda self: len(self.data) >= size)

    async def eof(self):
        await self.until(lambda self: ("eof",) in self.log)

    @property
    def data(self):
        return b"".join(entry[1] for entry in self.log if entry[0] == "data")

    def connection_made(self, transport):
        self.transport = transport
        self.note("made")

    def data_received(self, data):
        self.note("data", bytes(data))

    def eof_received(self):
        self.note("eof")
        return self.keep_open

    def pause_writing(self):
        self.note("pause")

    def resume_writing(self):
        self.note("resume")

    def connection_lost(self, exc):
        self.note("lost", type(exc).__name__ if exc else None)


class Buffered(Recording, asyncio.BufferedProtocol):
    """The same with a buffer of its own, of few bytes."""

    def __init__(self, size=7, **options):
        super().__init__(**options)
        self.buffer = bytearray(size)

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, nbytes):
        self.note("data", bytes(self.buffer[:nbytes]))


class Pair:
    """A connection with a recording protocol at both ends, and the server that accepted it."""

    def __init__(self, client=None, server=None, *, server_tls=None, client_tls=None):
        self.client = client or Recording()
        self.server = server or Recording()
        self._tls = server_tls, client_tls

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        server_tls, client_tls = self._tls
        self.listener = await loop.create_server(lambda: self.server, "127.0.0.1", 0, ssl=server_tls)
        self.address = self.listener.sockets[0].getsockname()
        # Of the host that is connected to, the certificate has to be.
        host = "localhost" if client_tls else self.address[0]
        await loop.create_connection(lambda: self.client, host, self.address[1], ssl=client_tls)
        await self.server.until(lambda server: server.transport is not None)
        return self

    async def __aexit__(self, *_):
        self.listener.close()
        for end in (self.client, self.server):
            if end.transport is not None and not any(entry[0] == "lost" for entry in end.log):
                end.transport.abort()
                await end.lost()

    @property
    def logs(self):
        return flatten(self.client.log), flatten(self.server.log)
