"""
The private parts of asyncio that virtual time stands on: all, under public names, and in no other file.

asyncio promises none of them, so a new Python may lack one. `check_asyncio` runs before the first virtual
loop is made, and names what is missing instead of failing somewhere in the middle of a test.

Tried on CPython 3.11.7, 3.12.1 and 3.13.0; tests/virtual/test_asyncio_seam.py fails where a part is missing.

"""

from __future__ import annotations

import asyncio
import pkgutil
import platform
import selectors
import sys
from asyncio import constants, sslproto
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextvars import Context, copy_context
from functools import cache
from inspect import isclass, isfunction
from operator import attrgetter
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .errors import REAL_TIME, VirtualTimeError

# Methods that asyncio calls and a virtual loop replaces: asyncio's name, the name here, and why.
REPLACED = {
    "_run_once": ("run_turn", "the clock moves between two turns"),
    "_timer_handle_cancelled": ("note_cancelled_timer", "timers are kept by instant, not in asyncio's heap"),
    "_add_reader": ("watch_reader", "a TCP socket of the kernel is out of reach of virtual time"),
    "_add_writer": ("watch_writer", "as for readers"),
    "_remove_reader": ("forget_reader", "the kernel is asked only while a descriptor is watched"),
    "_remove_writer": ("forget_writer", "as for readers"),
    "_start_serving": ("start_accepting", "a listener in memory has no descriptor to watch"),
    "_stop_serving": ("stop_accepting", "as for its start"),
    "_make_socket_transport": ("make_transport", "a connection in memory has a transport of its own"),
    "_make_ssl_transport": ("make_tls_transport", "TLS goes over that transport"),
    "_make_subprocess_transport": ("start_subprocess", "the clock stands still while a subprocess runs"),
}
# Only where asyncio starts subprocesses on a selector loop.
REPLACED_ON_UNIX = {
    "_child_watcher_callback": ("subprocess_ended", "from then on the clock may move again"),
}
# Methods of asyncio's that are only called.
CALLED = {
    "_accept_connection2": ("accept_connection", "makes transport and protocol of an accepted connection"),
    "_check_closed": ("refuse_if_closed", "timers and jobs of a closed loop are refused as asyncio does"),
    "_check_default_executor": ("refuse_without_executor", "jobs after its shutdown, likewise"),
    "_check_callback": ("check_callback", "debug mode refuses what is no callback"),
    "_process_events": ("process_events", "what the kernel has ready becomes ready callbacks"),
    "_write_to_self": ("awaken", "ends the wait for the kernel from another thread"),
}
# Attributes of a loop.
ATTRIBUTES = {
    "_ready": "callbacks that are ready: all bytes in flight in memory are among them",
    "_selector": "the kernel is asked without waiting",
    "_stopping": "a loop that is to stop must not move its clock",
    "_thread_id": "another thread that wakes the loop is told from the loop's own",
    "_default_executor": "its jobs keep the clock from moving",
}
# What else is used: where it is defined, and why.
OTHERS = {
    "asyncio.Handle": (
        ("_args", "_callback", "_cancelled", "_context", "_loop", "_repr", "_run", "_source_traceback"),
        "a turn runs callbacks as asyncio does, and a timer is made in one step",
    ),
    "asyncio.TimerHandle": (("_scheduled", "_when"), "a timer is made in one step"),
    "asyncio.Server": (
        ("_attach", "_detach", "_start_serving"),
        "a server waits for its connections in memory, and starts to accept",
    ),
    "asyncio.transports._FlowControlMixin": (
        ("_maybe_pause_protocol", "_maybe_resume_protocol"),
        "a transport in memory pauses writers as asyncio's do",
    ),
    "asyncio.constants": (("_SendfileMode",), "loop.sendfile asks a transport how"),
    "asyncio.sslproto.SSLProtocol": (("connection_made",), "TLS goes over a transport in memory"),
}
# Attributes that only objects have, so that the methods of their class tell whether there is one.
OF_OBJECTS = {
    "asyncio.Server": (("_sockets",), "a server in memory is given further ones"),
    "asyncio.transports._FlowControlMixin": (("_protocol", "_loop"), "its protocol is paused, on its loop"),
    "asyncio.sslproto.SSLProtocol": (("_app_transport",), "the transport on top of TLS is the user's"),
}

# Server._attach takes the transport since close_clients() exists (Python 3.13).
_ATTACH_TAKES_TRANSPORT = hasattr(asyncio.Server, "close_clients")


# Whoever gives this name to a virtual loop later means others.
_AsyncioLoop = asyncio.SelectorEventLoop


@cache
def check_asyncio() -> None:
    """
    Make sure that this Python's asyncio has what virtual time needs.

    Raises:
        VirtualTimeError: naming what is missing.

    """
    loop = _AsyncioLoop()
    try:
        methods = REPLACED | CALLED | (REPLACED_ON_UNIX if sys.platform != "win32" else {})
        missing = [f"loop.{name}" for name in (*ATTRIBUTES, *methods) if not hasattr(loop, name)]
    finally:
        loop.close()
    for owner, (names, _) in OTHERS.items():
        found = _find(owner)
        missing += [f"{owner}.{name}" for name in names if not hasattr(found, name)]
    for owner, (names, _) in OF_OBJECTS.items():
        used = _names_in_methods(_find(owner))
        missing += [f"{owner}.{name}" for name in names if name not in used]
    if missing:
        raise VirtualTimeError(
            f"virtual time does not know the asyncio of Python {platform.python_version()}, "
            f"which lacks {', '.join(missing)}; {REAL_TIME}"
        )


def _find(path: str) -> Any:
    try:
        return pkgutil.resolve_name(path)
    except (ImportError, AttributeError):
        return None


def _names_in_methods(owner: Any) -> set[str]:
    """The names that the methods of a class use; none where there is no such class."""
    methods = filter(isfunction, vars(owner).values()) if isclass(owner) else ()
    return {name for method in methods for name in method.__code__.co_names}


class SelectorLoop(_AsyncioLoop):
    """
    asyncio's selector loop, whose private methods have public names: a subclass replaces and calls those.

    Attributes:
        ready: the callbacks that the next turn runs.
        selector: what asks the kernel.
        debugging: whether asyncio's debug mode is on.
        changes: how many ends of connections in memory were made or closed.

    """

    # For asyncio's destructor, if the constructor fails.
    _closed = True
    # nest_asyncio replaces methods of each loop's class that has not this attribute: these would wait for the
    # clock on the wall. Of asyncio's own class it may have done that before.
    _nest_patched = True
    run_forever = asyncio.BaseEventLoop.run_forever
    run_until_complete = asyncio.BaseEventLoop.run_until_complete

    ready: deque[asyncio.Handle]
    selector: selectors.BaseSelector
    debugging: bool
    changes: int
    slow_callback_duration: float

    def __init__(self) -> None:
        check_asyncio()
        super().__init__()
        self.ready = self._ready  # type: ignore[attr-defined]
        self.selector = self._selector  # type: ignore[attr-defined]
        self.changes = 0

    def __init_subclass__(cls) -> None:
        for private, (public, _) in (REPLACED | REPLACED_ON_UNIX).items():
            if public in vars(cls):
                setattr(cls, private, vars(cls)[public])

    def set_debug(self, enabled: bool) -> None:
        """As in asyncio."""
        super().set_debug(enabled)
        self.debugging = enabled

    # Whether `stop` was called in this turn. (Without a frame of Python: each turn asks.)
    is_stopping = property(attrgetter("_stopping"))

    @property
    def thread(self) -> int | None:
        """The thread that runs the loop; None while none does."""
        return self._thread_id  # type: ignore[attr-defined,no-any-return]

    @property
    def default_executor(self) -> Executor | None:
        """What runs the jobs that name no executor; None before the first."""
        return self._default_executor  # type: ignore[attr-defined,no-any-return]

    if TYPE_CHECKING:
        # The methods of the tables, which are put in below.
        def run_turn(self) -> None: ...
        def note_cancelled_timer(self, handle: asyncio.TimerHandle) -> None: ...
        def watch_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle: ...
        def watch_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> asyncio.Handle: ...
        def forget_reader(self, fd: Any) -> bool: ...
        def forget_writer(self, fd: Any) -> bool: ...
        def start_accepting(self, protocol_factory: Any, sock: Any, *arguments: Any) -> None: ...
        def stop_accepting(self, sock: Any) -> None: ...
        def make_transport(self, sock: Any, protocol: Any, waiter: Any = None, **options: Any) -> Any: ...
        def make_tls_transport(
            self, rawsock: Any, protocol: Any, sslcontext: Any, waiter: Any = None, **options: Any
        ) -> Any: ...
        async def start_subprocess(self, protocol: Any, args: Any, *rest: Any, **options: Any) -> Any: ...
        def subprocess_ended(self, pid: int, returncode: int, transport: Any) -> None: ...
        async def accept_connection(self, *arguments: Any) -> None: ...
        def refuse_if_closed(self) -> None: ...
        def check_callback(self, callback: object, method: str) -> None: ...
        def refuse_without_executor(self) -> None: ...
        def process_events(self, events: Any) -> None: ...
        def awaken(self) -> None: ...


for _private, (_public, _) in (REPLACED | REPLACED_ON_UNIX | CALLED).items():
    setattr(SelectorLoop, _public, getattr(_AsyncioLoop, _private, None))


def make_timer(
    when: float,
    callback: Callable[..., object],
    args: tuple[Any, ...],
    loop: SelectorLoop,
    context: Context | None,
) -> asyncio.TimerHandle:
    """A timer of asyncio's, made in one step instead of three."""
    timer: Any
    if loop.debugging:
        timer = asyncio.TimerHandle(when, callback, args, loop, context)
        # The stack ends where somebody has set it, as in asyncio: not here, nor in call_at.
        del timer._source_traceback[-2:]
        timer._scheduled = True
        return timer  # type: ignore[no-any-return]
    timer = _new(asyncio.TimerHandle)
    timer._context = copy_context() if context is None else context
    timer._callback, timer._args, timer._loop, timer._when = callback, args, loop, when
    timer._cancelled, timer._scheduled = False, True
    timer._repr = timer._source_traceback = None
    return timer  # type: ignore[no-any-return]


_new = asyncio.TimerHandle.__new__
# Of a timer, without a frame of Python: whether it is cancelled, and whether it has yet to come; to say that.
is_cancelled: Callable[[asyncio.TimerHandle], bool] = attrgetter("_cancelled")
is_scheduled: Callable[[asyncio.TimerHandle], bool] = attrgetter("_scheduled")
set_scheduled: Any = getattr(getattr(asyncio.TimerHandle, "_scheduled", None), "__set__", None)
# Runs a callback that is not cancelled.
run_handle: Any = getattr(asyncio.Handle, "_run", None)


def schedule_again(timer: Any, when: float) -> None:
    """Say that a timer that has come will come once more."""
    timer._when, timer._scheduled = when, True


def run_ready(ready: deque[asyncio.Handle]) -> None:
    """Run the callbacks that are ready now; what these make ready belongs to the next turn, as in asyncio."""
    many = len(ready)
    while many:
        many -= 1
        handle = ready.popleft()
        if not handle._cancelled:
            handle._run()
    # As asyncio does: the traceback of an error has this frame since Python 3.12, and its task would be kept.
    handle = None  # type: ignore[assignment]


def run_ready_timed(ready: deque[asyncio.Handle]) -> Iterator[tuple[asyncio.Handle, float]]:
    """The same, telling how many real seconds each took."""
    for _ in range(len(ready)):
        handle = ready.popleft()
        if not handle._cancelled:
            start = perf_counter()
            handle._run()
            yield handle, perf_counter() - start
    handle = None  # type: ignore[assignment]


def add_sockets(server: asyncio.Server, sockets: list[Any]) -> None:
    """Let a server that does not serve yet listen on further sockets."""
    server._sockets.extend(sockets)  # type: ignore[attr-defined]


def attach(server: Any, transport: asyncio.BaseTransport) -> None:
    """Count a connection among those that a server waits for."""
    server._attach(*(transport,) if _ATTACH_TAKES_TRANSPORT else ())


def detach(server: Any, transport: asyncio.BaseTransport) -> None:
    """The connection is gone."""
    server._detach(*(transport,) if _ATTACH_TAKES_TRANSPORT else ())


def tls_over(
    loop: asyncio.AbstractEventLoop, protocol: Any, context: Any, waiter: Any, **options: Any
) -> tuple[asyncio.Protocol, asyncio.Transport]:
    """asyncio's TLS: the protocol for the transport below, and the transport that the user gets."""
    tls: Any = sslproto.SSLProtocol(loop, protocol, context, waiter, **options)
    return tls, tls._app_transport


_Mixin: Any = _find("asyncio.transports._FlowControlMixin") or asyncio.Transport
# asyncio's transports have a dictionary each for get_extra_info.
_NOTHING: dict[str, Any] = {}


class FlowControl(_Mixin):  # type: ignore[misc]
    """
    asyncio's flow control: pause_writing and resume_writing of the protocol, by the write buffer's size.

    Attributes:
        protocol: who is called; asyncio knows it by another name.

    """

    __slots__ = ("protocol",)

    # loop.start_tls and loop.sendfile ask transports for these.
    _start_tls_compatible = True
    _sendfile_compatible = getattr(getattr(constants, "_SendfileMode", None), "FALLBACK", None)

    if TYPE_CHECKING:

        def pause_if_full(self) -> None:
            """The write buffer has grown."""

        def resume_if_room(self) -> None:
            """The write buffer has shrunk."""

    else:
        pause_if_full = getattr(_Mixin, "_maybe_pause_protocol", None)
        resume_if_room = getattr(_Mixin, "_maybe_resume_protocol", None)

    def __init__(self, loop: SelectorLoop) -> None:
        super().__init__(_NOTHING, loop)

    @property
    def loop(self) -> SelectorLoop:
        """The loop of the transport."""
        return self._loop  # type: ignore[no-any-return]


FlowControl._protocol = FlowControl.protocol
