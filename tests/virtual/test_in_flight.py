"""What the loop can't see keeps the clock from moving, or is told loudly."""

import asyncio
import concurrent.futures
import contextlib
import itertools
import logging
import os
import signal
import socket
import sys
import threading
from time import perf_counter

import anyio.to_thread
import pytest

from pytest_wsstability.virtual import VirtualDeadlock, VirtualLoop, VirtualTimeError, run_virtual
from tests.virtual.certificates import contexts

unix = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix")


class Gate:
    """Blocks a thread until the test lets it go, so that no test depends on how fast a machine is."""

    def __init__(self):
        self._event = threading.Event()

    def open(self):
        self._event.set()

    def pass_through(self, value="passed"):
        assert self._event.wait(20)
        return value


async def frozen(start, release):
    """The clock before and after something in flight, with a timer of 1 s waiting all the time."""
    loop = asyncio.get_running_loop()
    fired = []
    timer = loop.call_later(1, fired.append, True)
    work = asyncio.ensure_future(start())
    for _ in range(100):
        await asyncio.sleep(0)
    release()
    result = await work
    timer.cancel()
    return result, loop.time(), fired


def test_a_job_of_an_executor_takes_no_virtual_time():
    gate = Gate()
    assert run_virtual(frozen(lambda: asyncio.to_thread(gate.pass_through), gate.open)) == ("passed", 0, [])


def test_a_job_of_ones_own_executor_takes_no_virtual_time():
    gate = Gate()

    async def main():
        with concurrent.futures.ThreadPoolExecutor(1) as executor:
            loop = asyncio.get_running_loop()

            async def job():
                return await loop.run_in_executor(executor, gate.pass_through)

            return await frozen(job, gate.open)

    assert run_virtual(main()) == ("passed", 0, [])


def test_a_job_may_call_the_loop_before_it_is_known_to_have_been_taken():
    """A thread that is fast, or a loop that is slow: the clock has stood still for the job all the same."""

    class Ahead(concurrent.futures.Executor):
        def submit(self, function, /, *args, **kwargs):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                return pool.submit(function, *args, **kwargs)

    async def main():
        loop, called = asyncio.get_running_loop(), asyncio.Event()
        await asyncio.sleep(5)
        await loop.run_in_executor(Ahead(), loop.call_soon_threadsafe, called.set)
        await called.wait()
        return loop.time()

    assert run_virtual(main()) == 5


def test_a_job_that_its_executor_refuses_does_not_hold_the_clock():
    async def main():
        executor = concurrent.futures.ThreadPoolExecutor(1)
        executor.shutdown()
        with pytest.raises(RuntimeError, match="shutdown"):
            asyncio.get_running_loop().run_in_executor(executor, int)
        await asyncio.Event().wait()

    with pytest.raises(VirtualDeadlock, match="nothing is in flight"):
        run_virtual(main())


def test_a_cancelled_job_still_holds_the_clock():
    gate = Gate()

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(5)
        job = loop.run_in_executor(None, gate.pass_through)
        await asyncio.sleep(0)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        before = loop.time()
        gate.open()
        await asyncio.sleep(10)
        return before, loop.time()

    assert run_virtual(main()) == (5, 15)


def test_the_exception_of_a_job_comes_through():
    async def main():
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 0


def test_a_name_lookup_takes_no_virtual_time(monkeypatch):
    gate = Gate()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: gate.pass_through())

    def lookup():
        return asyncio.get_running_loop().getaddrinfo("host.example", 80)

    assert run_virtual(frozen(lookup, gate.open)) == ("passed", 0, [])


@unix
def test_a_descriptor_that_is_watched_no_more_is_nothing_to_wait_for():
    """Who waits for ever is told so at once."""

    async def main():
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            loop.add_reader(ours, print)
            loop.remove_reader(ours)
            await loop.create_future()

    with pytest.raises(VirtualDeadlock):
        run_virtual(main())


def test_a_name_is_looked_up_for_whatever_there_is(monkeypatch):
    """As asyncio does, where nobody says which addresses are wanted; no name at all is this machine."""
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: asked.append((args, kwargs)) or [])

    async def main():
        loop = asyncio.get_running_loop()
        await loop.getaddrinfo("host.example", 80)
        return [found[4][0] for found in await loop.getaddrinfo(None, 80)]

    assert run_virtual(main()) == ["127.0.0.1", "::1"]
    assert asked == [(("host.example", 80, 0, 0, 0, 0), {})]


def test_localhost_and_literals_are_looked_up_without_a_thread(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("asked the resolver"))

    async def main():
        loop = asyncio.get_running_loop()
        found = [
            await loop.getaddrinfo(host, "80") for host in ("localhost", "api.localhost", "127.0.0.1", "::1")
        ]
        with pytest.raises(socket.gaierror):
            await loop.getaddrinfo("127.0.0.1", 80, family=socket.AF_INET6)
        return [[info[4][:2] for info in infos] for infos in found]

    both = [("127.0.0.1", 80), ("::1", 80)]
    assert run_virtual(main()) == [both, both, both[:1], both[1:]]


@unix
def test_a_subprocess_takes_no_virtual_time():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(7)
        async with asyncio.timeout(0.001):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                "print(input())",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate(b"hello\n")
        at = loop.time()
        await asyncio.sleep(1)
        return output.split(), process.returncode, at, loop.time()

    assert run_virtual(main()) == ([b"hello"], 0, 7, 8)


@unix
@pytest.mark.parametrize("how", ["argument", "shell", "environment"])
def test_a_subprocess_that_is_told_an_address_in_memory_is_refused(how):
    """It could not reach it, and the clock would stand still for it for ever."""

    async def main():
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            if how == "shell":
                await asyncio.create_subprocess_shell(f"exit 0 {url}")
            elif how == "argument":
                await asyncio.create_subprocess_exec(sys.executable, "-c", "pass", url)
            else:
                await asyncio.create_subprocess_exec(sys.executable, "-c", "pass", env={"WS_URL": url})
        finally:
            server.close()

    with pytest.raises(VirtualTimeError, match=r"^a subprocess is told of 127\.0\.0\.1:\d+, which .* real"):
        run_virtual(main())


@unix
def test_a_subprocess_that_is_told_another_address_runs():
    """Nobody listens there in memory, so it is the kernel's."""

    async def main():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "pass", "ws://127.0.0.1:49152/")
        return await process.wait()

    assert run_virtual(main()) == 0


@unix
def test_a_subprocess_that_does_not_start_leaves_no_hold():
    async def main():
        with pytest.raises(FileNotFoundError):
            await asyncio.create_subprocess_exec("/no/such/program")
        await asyncio.sleep(3)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 3


def test_hold_keeps_the_clock_for_another_thread():
    gate = Gate()

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(3)
        done = loop.create_future()
        thread = threading.Thread(
            target=lambda: loop.call_soon_threadsafe(done.set_result, gate.pass_through())
        )
        with loop.hold():
            thread.start()
            loop.call_soon(gate.open)
            result = await asyncio.wait_for(done, 0.001)
        thread.join()
        return result, loop.time()

    assert run_virtual(main()) == ("passed", 3)


def test_hold_can_be_left_in_another_thread():
    gate = Gate()

    async def main():
        loop = asyncio.get_running_loop()
        hold = loop.hold()
        hold.__enter__()

        def leave():
            gate.pass_through()
            hold.__exit__(None, None, None)

        thread = threading.Thread(target=leave)
        thread.start()
        loop.call_soon(gate.open)
        await asyncio.sleep(60)
        thread.join()
        return loop.time()

    assert run_virtual(main()) == 60


def test_hold_cannot_be_entered_in_another_thread():
    async def main():
        loop = asyncio.get_running_loop()

        def enter():
            with loop.hold():
                pass

        with pytest.raises(VirtualTimeError, match=r"^loop\.hold\(\) entered in thread"):
            await asyncio.to_thread(enter)

    run_virtual(main())


def test_a_thread_that_comes_late_is_an_error():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(60)
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(int,), name="latecomer")
        thread.start()
        thread.join()
        await loop.create_future()

    with pytest.raises(VirtualTimeError, match=r"^thread 'latecomer' woke the loop .* had moved to t=60 s"):
        run_virtual(main())


def test_what_a_late_thread_has_spoiled_comes_to_its_end(monkeypatch):
    """What is cancelled may wait for a thread again, such as a database that is closed."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._LATE", 60.0)
    closed = []

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(60)
        try:
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(int,), name="latecomer")
            thread.start()
            thread.join()
            await loop.create_future()
        finally:
            answer = loop.create_future()
            threading.Thread(target=loop.call_soon_threadsafe, args=(answer.set_result, True)).start()
            closed.append(await answer)

    with pytest.raises(VirtualTimeError, match=r"^thread 'latecomer' woke the loop"):
        run_virtual(main())
    assert closed == [True]


@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("moves", [True, False])
def test_a_thread_that_is_at_work_gets_a_moment_to_be_late(monkeypatch, moves, runs):
    """Who is about to blame somebody asks for it; where the clock has not moved, nobody is late."""
    asked = threading.Event()
    monkeypatch.setattr("pytest_wsstability.virtual.loop.sleep", lambda seconds: asked.set() or thread.join())

    async def main():
        if moves:
            await asyncio.sleep(60)
        return asyncio.get_running_loop().late_thread() if runs else None

    def work(loop):
        asked.wait()
        loop.call_soon_threadsafe(int)

    with contextlib.closing(VirtualLoop()) as loop:
        thread = threading.Thread(target=work, args=(loop,), name="latecomer")
        thread.start()
        late = loop.run_until_complete(main())
        late = late if runs else loop.late_thread()
        asked.set()
        thread.join()

        assert str(late).startswith("thread 'latecomer' woke the loop with") is moves
        assert (late is None) is not moves
        # It is told once.
        assert loop.late_thread() is None


def test_the_moment_for_a_late_thread_is_half_a_second(monkeypatch):
    """Of real time, which failures alone take, and only those beside a thread."""
    asked, looks = threading.Event(), []
    monkeypatch.setattr("pytest_wsstability.virtual.loop.sleep", looks.append)
    monkeypatch.setattr("pytest_wsstability.virtual.loop.perf_counter", lambda: sum(looks))

    async def main():
        threading.Thread(target=asked.wait).start()
        await asyncio.sleep(60)
        return asyncio.get_running_loop().late_thread()

    try:
        assert run_virtual(main()) is None
    finally:
        asked.set()
    assert 0.5 <= sum(looks) < 0.52


def test_a_loop_without_other_threads_asks_none(monkeypatch):
    """Those of before the loop, and those that wait for jobs, answer nobody."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop.sleep", None)

    async def main():
        await asyncio.to_thread(int)
        await asyncio.sleep(60)
        return asyncio.get_running_loop().late_thread()

    assert run_virtual(main()) is None


def test_a_thread_may_come_before_the_clock_has_moved():
    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(done.set_result, "early"))
        thread.start()
        thread.join()
        return await done

    assert run_virtual(main()) == "early"


@unix
def test_a_signal_is_waited_for():
    async def main():
        loop = asyncio.get_running_loop()
        got = loop.create_future()
        loop.add_signal_handler(signal.SIGUSR1, got.set_result, "signal")
        loop.call_later(5, os.kill, os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(1)
        result = await got
        loop.remove_signal_handler(signal.SIGUSR1)
        return result, loop.time()

    assert run_virtual(main()) == ("signal", 5)


@unix
def test_kernel_pipes_and_unix_sockets_are_read_before_the_clock_moves(tmp_path):
    async def main():
        loop = asyncio.get_running_loop()

        async def echo(reader, writer):
            while data := await reader.read(100):
                await asyncio.sleep(1)
                writer.write(data)
            writer.close()

        async with await asyncio.start_unix_server(echo, tmp_path / "socket"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
            for _ in range(100):
                writer.write(b"x" * 50)
                assert await asyncio.wait_for(reader.readexactly(50), 1.5)
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0)
        return loop.time()

    assert run_virtual(main()) == 100


@unix
def test_a_socket_pair_is_the_kernels():
    async def main():
        left, right = socket.socketpair()
        with left, right:
            left.setblocking(False)
            right.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(left, b"hello")
            return await asyncio.wait_for(loop.sock_recv(right, 10), 0.001), loop.time()

    assert run_virtual(main()) == (b"hello", 0)


@contextlib.contextmanager
def opened_by_the_log():
    """A gate that opens as soon as virtual time says what it waits for."""

    class Opening(logging.Handler):
        def emit(self, record):
            gate.open()

    gate, handler = Gate(), Opening()
    logger = logging.getLogger("pytest_wsstability.virtual")
    logger.addHandler(handler)
    try:
        yield gate
    finally:
        logger.removeHandler(handler)


def test_the_log_says_what_time_stands_still_for(monkeypatch, caplog):
    monkeypatch.setattr("pytest_wsstability.virtual.loop._PATIENCE", 0.001)
    with opened_by_the_log() as gate:
        run_virtual(asyncio.to_thread(gate.pass_through))
    assert "waiting for 1 x executor job" in caplog.text


def test_no_descriptor_is_left_open():
    loop = VirtualLoop()
    loop.run_until_complete(asyncio.sleep(1))
    loop.close()
    assert loop.is_closed()
    assert repr(loop) == "<VirtualLoop closed t=1 timers=0>"


# What never ends, or waits for the loop in turn.


@pytest.fixture
def brief(monkeypatch):
    """A standstill of milliseconds, and a pace of a tenth of a second in all."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._STANDSTILL", 0.002)
    monkeypatch.setattr("pytest_wsstability.virtual.loop._PACED", 0.1)


def test_a_job_that_waits_for_a_timer_of_the_loop_gets_it(brief):
    """Neither waits for ever for the other; the timer comes no earlier than it would in real time."""

    async def main():
        loop = asyncio.get_running_loop()

        def job():
            return asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01, "slept"), loop).result(20)

        start = perf_counter()
        result = await asyncio.to_thread(job)
        return result, loop.time(), perf_counter() - start >= 0.01

    assert run_virtual(main()) == ("slept", 0.01, True)


@unix
def test_a_subprocess_that_waits_for_its_reader_does_not_stop_the_clock(brief):
    """It has filled the pipe, and goes on when the reader does, which waits for a timer."""
    program = "import sys\nfor _ in range(64):\n    sys.stdout.write('x' * 4096)"

    async def main():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
        )
        size = 0
        while data := await process.stdout.read(65536):
            size += len(data)
            await asyncio.sleep(0.002)
        return size, await process.wait()

    assert run_virtual(main()) == (64 * 4096, 0)


@pytest.mark.parametrize("name", ["CancelledError", "InvalidStateError"])
@pytest.mark.parametrize("run", [run_virtual, asyncio.run])
def test_what_a_job_raises_is_asyncios(run, name):
    """As on asyncio's own loops: the errors of concurrent.futures are those of asyncio to who awaits."""

    def job():
        raise getattr(concurrent.futures, name)("why")

    async def main():
        with pytest.raises(getattr(asyncio, name), match=r"^why$"):
            await asyncio.get_running_loop().run_in_executor(None, job)

    run(main())


@pytest.mark.parametrize(
    ("thread", "what"),
    [
        (asyncio.to_thread, r"1 x executor job \(thread 'asyncio_0'"),
        (anyio.to_thread.run_sync, r"anyio worker threads \(thread 'AnyIO worker thread'"),
    ],
    ids=["asyncio", "anyio"],
)
def test_a_job_that_never_ends_is_told(brief, thread, what):
    """The clock keeps pace with real time for a while, and then the run is given up."""
    gate = Gate()

    async def main():
        job = asyncio.create_task(thread(gate.pass_through))
        try:
            await asyncio.sleep(3600)
        finally:
            gate.open()
            await job

    with pytest.raises(
        VirtualTimeError,
        match=rf"^virtual time has waited for 100 ms of real time at t=0 s: {what} at .*in_flight.py:\d+ .*"
        r"\)\n  Task-\d+ \(what the loop runs\) waits at .*\n  Task-\d+ waits at .*\n"
        r"let that end first, or run this test in real time",
    ):
        run_virtual(main())


@pytest.fixture
def takes(brief, monkeypatch):
    """A function that takes a tenth of what the loop waits for in all, by the clock that it reads."""
    clock = itertools.count()
    now = [next(clock)]
    monkeypatch.setattr("pytest_wsstability.virtual.loop.perf_counter", lambda: now[0] / 100)

    def take():
        now[0] = next(clock)

    return take


@pytest.mark.parametrize(
    ("again", "what"),
    [(asyncio.to_thread, "1 x executor job"), (anyio.to_thread.run_sync, "anyio worker threads")],
    ids=["asyncio", "anyio"],
)
def test_a_job_that_comes_again_at_once_is_told(takes, again, what):
    """A thread that asks a queue for a second, and again: each ends before the test's timer is due."""

    async def poll():
        while True:
            await again(takes)

    async def main():
        polling = asyncio.create_task(poll())
        try:
            await asyncio.sleep(3600)
        finally:
            polling.cancel()

    told = (
        rf"^virtual time has waited for 100 ms .* at t=0 s: {what}.*\n.*\n  Task-\d+ waits at .*in_flight.py"
    )
    with pytest.raises(VirtualTimeError, match=told):
        run_virtual(main())


def test_jobs_at_many_instants_do_not_add_up(takes):
    """What an app does for each of its messages takes longer, in a day, than is waited for at one instant."""

    async def main():
        other = asyncio.create_task(asyncio.sleep(10**6))
        for _ in range(30):
            await asyncio.to_thread(takes)
            await asyncio.sleep(3600)
        other.cancel()
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 30 * 3600


@pytest.mark.parametrize("held", [True, False], ids=["held", "without a timer"])
def test_what_may_last_for_ever_does_not_count(takes, monkeypatch, held):
    """A job at the same instant, beside a timer, has all its time after it."""
    gates, poll = [Gate(), Gate()], VirtualLoop._poll

    def polled(loop, timeout):
        if not timeout:
            return False
        gates[0].open()
        return poll(loop, timeout)

    def lasts():
        gates[0].pass_through()
        del gates[0]
        for _ in range(20):
            takes()

    monkeypatch.setattr(VirtualLoop, "_poll", polled)

    async def main():
        loop = asyncio.get_running_loop()
        other = asyncio.create_task(asyncio.sleep(3600)) if held else None
        with loop.hold() if held else contextlib.nullcontext():
            await asyncio.to_thread(lasts)
        other = other or asyncio.create_task(asyncio.sleep(3600))
        result = await asyncio.to_thread(gates[0].pass_through)
        other.cancel()
        return result, loop.time()

    assert run_virtual(main()) == ("passed", 0)


def test_a_hold_stops_the_clock_for_as_long_as_it_lasts(brief, monkeypatch):
    """It was asked for: no pace is kept, though the wait is longer than all of it."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._PATIENCE", 0.2)

    async def main(gate):
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, pytest.fail)
        done = loop.create_future()
        with loop.hold():

            def work():
                loop.call_soon_threadsafe(done.set_result, gate.pass_through())

            thread = threading.Thread(target=work)
            thread.start()
            result = await done
        thread.join()
        return result, loop.time()

    with opened_by_the_log() as gate:
        assert run_virtual(main(gate)) == ("passed", 0)


# Unix sockets whose other end is outside.


def tls_echo(sock, context):
    """One answer over TLS, by blocking calls."""
    with context.wrap_socket(sock, server_side=True) as tls:
        tls.sendall(tls.recv(100).upper())
        tls.recv(100)


def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args, name="the other end")
    thread.start()
    return thread


@unix
@pytest.mark.parametrize("kind", ["path", "pair"])
def test_tls_over_a_unix_socket_whose_other_end_is_a_thread(kind, tmp_path):
    """The handshake's timeout of 60 s does not come while the thread works."""
    pytest.importorskip("trustme")
    server_tls, client_tls = contexts()

    def serve(listener):
        with listener:
            tls_echo(listener.accept()[0], server_tls)

    async def main():
        loop = asyncio.get_running_loop()
        if kind == "path":
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(tmp_path / "socket"))
            listener.listen()
            thread = in_thread(serve, listener)
            opening = asyncio.open_unix_connection(
                tmp_path / "socket", ssl=client_tls, server_hostname="localhost"
            )
        else:
            near, far = socket.socketpair()
            near.setblocking(False)
            thread = in_thread(tls_echo, far, server_tls)
            opening = asyncio.open_connection(sock=near, ssl=client_tls, server_hostname="localhost")
        reader, writer = await opening
        writer.write(b"hello")
        answer = await reader.read(100)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        before = loop.time()
        thread.join()
        return answer, before < 60

    assert run_virtual(main()) == (b"HELLO", True)


@unix
def test_what_the_other_end_writes_right_before_it_is_gone_comes_in_time(monkeypatch):
    """A thread that ends between two looks at it: the clock must not pass the last bytes."""

    async def main():
        loop = asyncio.get_running_loop()
        near, far = socket.socketpair()
        with near, far:
            came = loop.create_future()
            loop.add_reader(near, lambda: came.done() or came.set_result(loop.time()))

            def gone():
                far.send(b"last")
                return []

            monkeypatch.setattr(loop.network.unix, "leading_out", gone)
            loop.call_later(10, print)
            at = await came
            loop.remove_reader(near)
            return at

    assert run_virtual(main()) == 0


@unix
def test_a_client_in_a_thread_of_a_unix_server_on_the_loop(tmp_path):
    """Its request is waited for in real time; the loop's own clients are not."""

    def ask(gate):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "socket"))
            sock.sendall(b"hel")
            gate.pass_through()
            sock.sendall(b"lo")
            assert sock.recv(100) == b""

    async def main():
        gate, loop = Gate(), asyncio.get_running_loop()
        got = loop.create_future()

        async def answer(reader, writer):
            loop.call_later(0.01, gate.open)
            got.set_result(await asyncio.wait_for(reader.readexactly(5), 3600))
            writer.close()

        async with await asyncio.start_unix_server(answer, tmp_path / "socket"):
            thread = in_thread(ask, gate)
            result = await got
            await asyncio.to_thread(thread.join)
        return result, loop.time()

    assert run_virtual(main()) == (b"hello", 0.01)


@unix
@pytest.mark.parametrize("kind", ["path", "pair"])
def test_both_ends_of_a_unix_socket_on_the_loop_take_no_real_time(kind, tmp_path):
    """A thread beside that has nothing to do with them was there before the loop, or the path tells."""
    gate = Gate()
    thread = in_thread(gate.pass_through)

    async def echo(reader, writer):
        writer.write(await reader.readexactly(1))
        await asyncio.sleep(3600)
        writer.close()

    async def main():
        loop = asyncio.get_running_loop()
        if kind == "path":
            server = await asyncio.start_unix_server(echo, tmp_path / "socket")
            reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
            serving = server.wait_closed()
        else:
            near, far = socket.socketpair()
            serving = asyncio.ensure_future(echo(*await asyncio.open_connection(sock=far)))
            reader, writer = await asyncio.open_connection(sock=near)
        later = in_thread(gate.pass_through) if kind == "path" else thread
        writer.write(b"x")
        got = await reader.read()
        writer.close()
        await writer.wait_closed()
        if kind == "path":
            server.close()
        await serving
        gate.open()
        later.join()
        return got, loop.time()

    try:
        assert run_virtual(main()) == (b"x", 3600)
    finally:
        gate.open()
        thread.join()


@unix
def test_a_silent_unix_socket_that_leads_out_is_told(brief, tmp_path):
    """Virtual time keeps its pace for a while, and then the run is given up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()

        async def main():
            reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
            try:
                await asyncio.wait_for(reader.read(1), 3600)
            finally:
                writer.transport.abort()

        with pytest.raises(
            VirtualTimeError,
            match=r"^virtual time has waited .*: Unix sockets with their other end in another "
            r"thread or process \(descriptors \d+\)\n",
        ):
            run_virtual(main())
