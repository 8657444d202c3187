"""
The event loop that tests use: its clock jumps, and its network is in memory.

The clock stands still while anything can still happen at the current instant: a callback is ready, the
kernel has I/O ready, or something is in flight that the loop can't see (a job of an executor, a
subprocess, a `hold`). Then it jumps to the next timer, exactly, and releases that one timer.
Everything that follows from it runs before the next timer is released, even one due at the same instant.

"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import logging
import os
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from . import accepting
from .addresses import INTERNET, AddressInfo, elsewhere, is_local_name, outside, resolve
from .anyio_threads import any_busy, is_worker
from .asyncio_seam import SelectorLoop, add_sockets, run_ready, run_ready_timed, tls_over
from .connected import ConnectedSocket
from .errors import REAL_TIME, VirtualDeadlock, VirtualTimeError
from .in_flight import InFlight
from .linked import link_ends
from .network import Listener, Network
from .sockets import FIRST_NUMBER, VirtualSocket
from .timers import Order, Ties, TimerQueue
from .transport import MemoryTransport
from .waiting import describe_waiting

if TYPE_CHECKING:
    from ..net.proxy.injector import FaultInjector

logger = logging.getLogger("pytest_wsstability.virtual")

Factory = Callable[[], asyncio.BaseProtocol]
T = TypeVar("T")

# Turns of the loop at one instant without I/O, after which it is taken to spin.
_SPINNING = 1_000_000

# A task that spins (`while not done: await sleep(0)`) never lets the ready callbacks run out. So that
# often, in turns, a timer that is due is released all the same.
_CROWDED = 1_000

# How long to stand still, in real seconds, before the log says what for.
_PATIENCE = 10.0

# What is in flight.
_JOB = "executor job"
_SUBPROCESS = "subprocess"


class VirtualLoop(SelectorLoop):
    """
    An asyncio event loop in virtual time.

    TCP connections stay in memory: `create_server`, `create_connection`, `start_tls` and what is built on
    them work as usual, between servers and clients of this loop. What would leave it raises
    `VirtualTimeError`. Unix sockets and pipes are the kernel's.

    Args:
        order: which of several timers due at exactly the same instant comes first: the one scheduled
            first (``"fifo"``), the one scheduled last (``"lifo"``) or a ``"random"`` one.
        seed: for ``order="random"``.

    Attributes:
        is_virtual: True; other loops don't have it.
        ties: the instants at which the order mattered; see `Ties`.

    """

    is_virtual = True

    # asyncio's constructor registers the self-pipe, which is a TCP socket pair on some systems.
    _made = False

    def __init__(self, *, order: Order = "fifo", seed: int = 0) -> None:
        self._timers = TimerQueue(order, seed)
        self._now = 0.0
        # Turns since the clock moved, or the kernel had something.
        self._turns = 0
        self._moved = False
        # Whether the kernel watches a descriptor besides the self-pipe.
        self._kernel = False
        self._in_flight = InFlight(self.awaken)
        # What another thread or a signal handler did; the next turn raises it.
        self._failure: BaseException | None = None
        # Signals that have a handler: they can always come.
        self._signals: set[int] = set()
        self.ties = Ties()
        self._network = Network(self)
        # Kernel sockets that sock_connect has connected in memory, until a transport takes them over.
        self._connected: WeakKeyDictionary[socket.socket, ConnectedSocket] = WeakKeyDictionary()
        # Kernel sockets on which user code calls accept() itself, by descriptor.
        self._accepting: dict[int, Listener] = {}
        super().__init__()
        self._made = True

    def __repr__(self) -> str:
        state = "closed" if self.is_closed() else "running" if self.is_running() else "idle"
        return f"<{type(self).__name__} {state} t={self._now:.9g} timers={len(self._timers)}>"

    def close(self) -> None:
        """As in asyncio."""
        if not self.is_running() and not self.is_closed():
            for end in self._connected.values():
                end.close()
            self._network.close()
        super().close()
        if self.is_closed():
            self._timers.clear()

    # The clock and its timers.

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    @contextmanager
    def hold(self) -> Iterator[None]:
        """
        Keep the clock from moving while another thread works for this loop.

        Enter it in the loop's thread, before the other thread starts; leave it anywhere.

        Raises:
            VirtualTimeError: if entered in another thread while the loop runs: the clock may have moved.

        """
        if self.thread not in (None, threading.get_ident()):
            raise VirtualTimeError(
                f"loop.hold() entered in thread {threading.current_thread().name!r}, where virtual time may "
                f"have passed already; enter it in the loop's thread, before the other one starts"
            )
        with self._in_flight.one("loop.hold()"):
            yield

    def call_at(  # type: ignore[override]
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As in asyncio."""
        self.refuse_if_closed()
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers.push(when, timer)
        return timer

    def note_cancelled_timer(self, handle: asyncio.TimerHandle) -> None:
        self._timers.note_cancelled()

    def call_soon_threadsafe(  # type: ignore[override]
        self,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As in asyncio, but another thread must not come when the clock has moved on without it."""
        if self._moved and self._is_foreign() and not self._is_expected():
            self._failure = self._failure or self._passed_by(callback)
        return super().call_soon_threadsafe(callback, *args, context=context)

    def _passed_by(self, callback: Callable[..., object]) -> VirtualTimeError:
        thread = threading.current_thread().name
        return VirtualTimeError(
            f"thread {thread!r} woke the loop with {callback!r} after virtual time had moved to "
            f"t={self._now:.9g} s without it: timeouts may have fired that would not in real time; put the "
            f"thread's work in `with loop.hold():`, use asyncio.to_thread, or {REAL_TIME}"
        )

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """As in asyncio, but what no program should survive is raised by the next turn and not logged."""
        error = context.get("exception")
        if error is None or isinstance(error, Exception | asyncio.CancelledError):
            super().call_exception_handler(context)
        else:
            # pytest-timeout fails a test from a signal handler, which may run inside any callback.
            self._failure = error

    def _is_foreign(self) -> bool:
        return self.thread is not None and self.thread != threading.get_ident()

    def _is_expected(self) -> bool:
        """Whether the clock has stood still for the thread that calls."""
        return self._in_flight.total > 0 or is_worker(threading.current_thread(), self)

    # Signals.

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., object], *args: Any
    ) -> None:
        """As in asyncio; from now on the loop waits for signals rather than calling it a deadlock."""
        super().add_signal_handler(sig, callback, *args)
        self._signals.add(sig)

    def remove_signal_handler(self, sig: int) -> bool:
        """As in asyncio."""
        self._signals.discard(sig)
        return super().remove_signal_handler(sig)

    # One turn.

    def run_turn(self) -> None:
        ready = self.ready
        self._turns += 1
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._kernel or self._signals or self._in_flight.total:
            self._poll(0)
        if not ready:
            if not self.is_stopping:
                self._release()
        elif self._turns % _CROWDED == 0:
            self._release_crowded()
        if self.get_debug():
            self._run_slowly()
        else:
            run_ready(ready)

    def _run_slowly(self) -> None:
        """As asyncio's debug mode, whose slow callbacks virtual time itself can't see."""
        for handle, took in run_ready_timed(self.ready):
            if took >= self.slow_callback_duration:
                logger.warning("executing %r took %.3f real seconds", handle, took)

    def _release(self) -> None:
        """All is quiet: let the next timer come, or wait for what is in flight."""
        when = self._timers.next_instant()
        if when is not None and when <= self._now:
            self.ready.append(self._timers.pop())
        elif self._in_flight.total or any_busy(self):
            self._stand_still()
        elif when is not None:
            tied = self._timers.tied()
            if tied > 1:
                self.ties.record(when, tied)
            self._now = when
            self._moved = True
            self._turns = 0
            self.ready.append(self._timers.pop())
        elif self._kernel or self._signals:
            self._stand_still()
        else:
            raise self._deadlock(
                "no callback is ready, no timer is set, nothing is in flight",
                f"if another thread is to wake it, put that in `with loop.hold():`; otherwise {REAL_TIME}",
            )

    def _release_crowded(self) -> None:
        when = self._timers.next_instant()
        if when is not None and when <= self._now:
            self.ready.append(self._timers.pop())
        elif self._turns >= _SPINNING and not self._in_flight.total:
            self._turns = 0
            raise self._deadlock(
                f"the loop turned {_SPINNING:,} times without a timer or I/O: a busy sleep(0) loop",
                f"wait with a timer, such as sleep(0.01), or for an event; otherwise {REAL_TIME}",
            )

    def _deadlock(self, problem: str, advice: str) -> VirtualDeadlock:
        return VirtualDeadlock(problem, at=self._now, waiting=describe_waiting(self), advice=advice)

    # The kernel, and what is in flight.

    def _poll(self, timeout: float) -> bool:
        events = self.selector.select(timeout)
        if events:
            self._turns = 0
            self.process_events(events)
        return bool(events)

    def _stand_still(self) -> None:
        """Wait in real time for the kernel or another thread."""
        patience = _PATIENCE
        while not self._poll(patience) and not self.ready:
            reason = self._in_flight.describe() or "other threads, file descriptors or signals"
            logger.warning("t=%.9g s since %.0f real seconds: waiting for %s", self._now, patience, reason)
            patience *= 2

    # Jobs take real time, so the clock stands still for them.

    def run_in_executor(  # type: ignore[override]
        self, executor: concurrent.futures.Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As in asyncio; the clock stands still until the job is done, even if nobody waits for it."""
        self.refuse_if_closed()
        job = (executor or self._executor()).submit(func, *args)
        self._in_flight.start(_JOB)
        result: asyncio.Future[T] = self.create_future()
        result.add_done_callback(lambda result: result.cancelled() and job.cancel())
        job.add_done_callback(partial(self._job_done, result))
        return result

    def _executor(self) -> concurrent.futures.Executor:
        self.refuse_without_executor()
        if self.default_executor is None:
            self.set_default_executor(concurrent.futures.ThreadPoolExecutor(thread_name_prefix="asyncio"))
        assert self.default_executor is not None
        return self.default_executor

    def _job_done(self, result: asyncio.Future[T], job: concurrent.futures.Future[T]) -> None:
        """Called in the job's thread."""
        try:
            self.call_soon_threadsafe(self._land, result, job)
        except RuntimeError:
            if not self.is_closed():
                raise

    def _land(self, result: asyncio.Future[T], job: concurrent.futures.Future[T]) -> None:
        self._in_flight.finish(_JOB)
        if result.cancelled():
            return
        if job.cancelled():
            result.cancel()
        elif (error := job.exception()) is not None:
            result.set_exception(error)
        else:
            result.set_result(job.result())

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As in asyncio, which joins the executor in a thread of its own."""
        with self.hold():
            await super().shutdown_default_executor(*() if timeout is None else (timeout,))

    async def start_subprocess(self, protocol: Any, args: Any, *rest: Any, **options: Any) -> Any:
        """As in asyncio, but not told of an address in memory; the clock stands still until it has ended."""
        words = [args] if isinstance(args, str | bytes) else [*args]
        words += (options.get("env") or {}).values()
        for word in map(os.fsdecode, words):
            if (address := self._network.named_in(word)) is not None:
                raise elsewhere(address)
        self._in_flight.start(_SUBPROCESS)
        try:
            return await super().start_subprocess(protocol, args, *rest, **options)
        except BaseException:
            self._in_flight.finish(_SUBPROCESS)
            raise

    def subprocess_ended(self, pid: int, returncode: int, transport: Any) -> None:
        """As in asyncio."""
        super().subprocess_ended(pid, returncode, transport)
        self.call_soon(self._in_flight.finish, _SUBPROCESS)

    # Names and addresses.

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        """As in asyncio; literal addresses and ``localhost`` are answered at once, for TCP."""
        simple = flags & ~(socket.AI_PASSIVE | socket.AI_ADDRCONFIG) == 0
        if simple and type in (0, socket.SOCK_STREAM) and proto in (0, socket.IPPROTO_TCP):
            found = resolve(host, port, family=family, passive=bool(flags & socket.AI_PASSIVE))
            if found is not None:
                return found
        return await super().getaddrinfo(host, port, family=family, type=type, proto=proto, flags=flags)

    # Servers.

    async def create_server(
        self,
        protocol_factory: Factory,
        host: Any = None,
        port: Any = None,
        *,
        family: int = 0,
        flags: int = socket.AI_PASSIVE,
        sock: Any = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        start_serving: bool = True,
        **options: Any,
    ) -> asyncio.Server:
        """As in asyncio, in memory; port 0 gives the same free port for all hosts."""
        if sock is not None:
            if host is None and port is None and accepting.is_kernel_tcp(sock):
                sock = accepting.listener_of(sock, self._network)
            return await super().create_server(
                protocol_factory, host, port, sock=sock, start_serving=start_serving, **options
            )
        if host is None and port is None:
            raise ValueError("Neither host/port nor sock were specified")
        listeners = await self._bind(host, port, family, flags, bool(reuse_port))
        try:
            first: Any = listeners[0]
            server = await super().create_server(protocol_factory, sock=first, start_serving=False, **options)
        except BaseException:
            for listener in listeners:
                listener.close()
            raise
        add_sockets(server, listeners[1:])
        if start_serving:
            await server.start_serving()
        return server

    async def _bind(self, host: Any, port: Any, family: int, flags: int, reuse_port: bool) -> list[Listener]:
        hosts = [host] if host is None or isinstance(host, str | bytes) else list(host)
        found: dict[AddressInfo, None] = {}
        for each in hosts or [None]:
            kind = socket.SOCK_STREAM
            infos = await self.getaddrinfo(each or None, port, family=family, type=kind, flags=flags)
            found.update(dict.fromkeys(infos))
        return self._network.bind_all(found, reuse_port=reuse_port)

    def start_accepting(
        self,
        protocol_factory: Factory,
        sock: Any,
        sslcontext: SSLContext | None = None,
        server: Any = None,
        backlog: int = 100,
        *timeouts: float | None,
    ) -> None:
        if not isinstance(sock, Listener):
            arguments = (protocol_factory, sock, sslcontext, server, backlog, *timeouts)
            super().start_accepting(*arguments)
            return
        accept = partial(self._accept, sock, protocol_factory, sslcontext, server, timeouts)
        self._network.start_listening(sock, accept)

    def _accept(
        self,
        listener: Listener,
        factory: Factory,
        context: SSLContext | None,
        server: Any,
        timeouts: tuple[float | None, ...],
    ) -> None:
        while listener.pending:
            end = listener.pending.popleft()
            extra = {"peername": end.peername}
            self.create_task(self.accept_connection(factory, end, extra, context, server, *timeouts))

    def stop_accepting(self, sock: Any) -> None:
        if isinstance(sock, Listener):
            sock.close()
        else:
            super().stop_accepting(sock)

    def link_connections(self, address: Any, injector: FaultInjector | None) -> None:
        """Let connections to a listener of this loop go over links with faults; None makes them direct."""
        self._network.link(address, partial(link_ends, self, injector) if injector is not None else None)

    # Clients.

    async def create_connection(
        self,
        protocol_factory: Factory,
        host: Any = None,
        port: Any = None,
        *,
        ssl: Any = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: Any = None,
        local_addr: Any = None,
        server_hostname: str | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
        **options: Any,
    ) -> tuple[asyncio.Transport, Any]:
        """As in asyncio, in memory; the first address that somebody listens on is taken."""
        if sock is None and (host is not None or port is not None):
            sock = await self._connect(host, port, family)
            if ssl and server_hostname is None:
                server_hostname = host
        elif sock is not None and (host is not None or port is not None):
            raise ValueError("host/port and sock can not be specified at the same time")
        return await super().create_connection(
            protocol_factory, ssl=ssl, sock=sock, server_hostname=server_hostname, **options
        )

    async def _connect(self, host: Any, port: Any, family: int) -> ConnectedSocket:
        infos = resolve(host, port, family=family)
        if infos is None:
            raise outside((host, port), names=self._network.addresses())
        errors: list[OSError] = []
        # A turn of the loop, as connecting takes one on a kernel socket.
        await asyncio.sleep(0)
        for each, _, _, _, address in infos:
            try:
                return self._network.connect(each, address)
            except OSError as exc:
                errors.append(exc)
        try:
            raise errors[0]
        finally:
            errors.clear()

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """As in asyncio; the socket is then good for ``create_connection(sock=...)``."""
        if sock.family not in INTERNET:
            await super().sock_connect(sock, address)
            return
        host, port = address[:2]
        if resolve(host, port) is None or is_local_name(host):
            info = (await self.getaddrinfo(host, port, family=sock.family, type=socket.SOCK_STREAM))[0]
            address = info[4]
        await asyncio.sleep(0)
        self._connected[sock] = self._network.connect(socket.AddressFamily(sock.family), address)

    # Transports.

    def _memory_end(self, sock: Any) -> ConnectedSocket | None:
        """The end in memory that a transport is to be made of; None for a socket of the kernel."""
        if isinstance(sock, ConnectedSocket):
            return sock
        if isinstance(sock, VirtualSocket):
            raise ValueError(f"{sock!r} is not connected")
        if (end := self._connected.pop(sock, None)) is not None:
            sock.close()
            return end
        if accepting.is_kernel_tcp(sock):
            raise outside(accepting.address_of(sock), "a kernel TCP socket with")
        return None

    def make_transport(self, sock: Any, protocol: Any, waiter: Any = None, **options: Any) -> Any:
        end = self._memory_end(sock)
        if end is None:
            return super().make_transport(sock, protocol, waiter, **options)
        return MemoryTransport(self, end, protocol, waiter, options.get("server"))

    def make_tls_transport(
        self,
        rawsock: Any,
        protocol: Any,
        sslcontext: Any,
        waiter: Any = None,
        *,
        extra: Any = None,
        server: Any = None,
        **options: Any,
    ) -> Any:
        """As in asyncio."""
        end = self._memory_end(rawsock)
        if end is None:
            return super().make_tls_transport(
                rawsock, protocol, sslcontext, waiter, extra=extra, server=server, **options
            )
        below, transport = tls_over(self, protocol, sslcontext, waiter, **options)
        MemoryTransport(self, end, below, server=server)
        return transport

    # What would leave the loop.

    async def create_datagram_endpoint(
        self, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> Any:
        """As in asyncio for Unix sockets; UDP is refused."""
        family = getattr(options.get("sock"), "family", options.get("family", 0))
        if family != getattr(socket, "AF_UNIX", None):
            raise outside(
                remote_addr or local_addr or accepting.address_of(options.get("sock")), "a UDP socket for"
            )
        return await super().create_datagram_endpoint(protocol_factory, local_addr, remote_addr, **options)

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """As in asyncio; what a TCP socket accepts comes from memory."""
        if sock.family in INTERNET:
            self._accepting[sock.fileno()] = accepting.take_over(sock, self._network)
        return await super().sock_accept(sock)

    async def sock_recv(self, sock: socket.socket, nbytes: int) -> bytes:
        """As in asyncio, but not for kernel TCP."""
        received: bytes = await self._refuse_kernel(sock, super().sock_recv, nbytes)
        return received

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """As in asyncio, but not for kernel TCP."""
        received: int = await self._refuse_kernel(sock, super().sock_recv_into, buf)
        return received

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """As in asyncio, but not for kernel TCP."""
        await self._refuse_kernel(sock, super().sock_sendall, data)

    async def _refuse_kernel(
        self, sock: socket.socket, operation: Callable[..., Awaitable[Any]], *args: Any
    ) -> Any:
        if accepting.is_kernel_tcp(sock):
            raise outside(accepting.address_of(sock), "bytes on the kernel socket with")
        return await operation(sock, *args)

    # Descriptors of the kernel: which are watched decides whether it must be asked at every turn.

    def watch_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        """As in asyncio, but not for kernel TCP; connections to a socket that listens come from memory."""
        kernel = self._kernel_tcp(fd)
        if kernel is None:
            handle = super().watch_reader(fd, callback, *args)
            self._note_descriptors()
            return handle
        if not kernel.listening:
            raise outside(kernel.address, "waiting for the kernel socket with")
        listener = self._accepting.get(kernel.number)
        if listener is None or listener.closed:
            sock = accepting.socket_object(fd, callback)
            self._accepting[kernel.number] = listener = accepting.take_over(sock, self._network)
        return self._network.start_listening(listener, partial(_call_while_pending, listener, callback, args))

    def watch_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        """As in asyncio, but not for kernel TCP."""
        if (kernel := self._kernel_tcp(fd)) is not None:
            raise outside(kernel.address, "waiting for the kernel socket with")
        handle = super().watch_writer(fd, callback, *args)
        self._note_descriptors()
        return handle

    def forget_reader(self, fd: Any) -> bool:
        """As in asyncio."""
        listener = self._accepting.pop(_number(fd), None) if self._made else None
        if listener is not None:
            # The address stays taken until the socket is closed; connections wait.
            listener.accept = None
            return True
        forgotten = super().forget_reader(fd)
        self._note_descriptors()
        return forgotten

    def forget_writer(self, fd: Any) -> bool:
        """As in asyncio."""
        forgotten = super().forget_writer(fd)
        self._note_descriptors()
        return forgotten

    def _note_descriptors(self) -> None:
        if self._made and not self.is_closed():
            # One is always there: the self-pipe.
            self._kernel = len(self.selector.get_map()) > 1

    def _kernel_tcp(self, fd: Any) -> accepting.KernelSocket | None:
        if _number(fd) >= FIRST_NUMBER:
            raise ValueError(f"{fd!r} is a socket of the virtual network: it has no descriptor to wait for")
        return accepting.kernel_tcp(_number(fd)) if self._made else None


def _number(fd: Any) -> int:
    number: int = fd if isinstance(fd, int) else fd.fileno()
    return number


def _call_while_pending(listener: Listener, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
    callback(*args)
    listener.wake()
