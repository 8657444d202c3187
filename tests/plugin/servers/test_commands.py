"""``--ws-command`` and the fixture ``ws_command``: a server in a process of its own, in real time."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from pytest_wsstability.plugin.servers import command as module

pytestmark = pytest.mark.slow

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")

# An echo server with what tests need: it says what it does, and does what its arguments say.
SERVER = """
import asyncio, os, signal, subprocess, sys, time
from websockets.asyncio.server import serve

print("hello from", os.getpid(), flush=True)
if "--exit" in sys.argv:
    print("the key is missing", file=sys.stderr)
    sys.exit(3)
if "--deaf" in sys.argv:
    time.sleep(60)
if "--stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "--child" in sys.argv:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    open("child", "w").write(str(child.pid))
open("started", "a").write("x")

async def echo(connection):
    async for message in connection:
        print("heard", message, flush=True)
        if message == "exit":
            os._exit(7)
        await connection.send(message)

async def main():
    port = sys.argv[sys.argv.index("--port") + 1] if "--port" in sys.argv else os.environ["PORT"]
    async with serve(echo, "::1" if "--six" in sys.argv else "127.0.0.1", int(port)) as server:
        if "--stubborn" not in sys.argv:
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.close)
        await server.wait_closed()

asyncio.run(main())
"""

HOLD = """
import pytest

@pytest.mark.ws_stability(alive_for="200ms", profile="frames")
def test_it(ws_soak):
    assert ws_soak.timeline.tier.name == "REAL"
"""


@pytest.fixture
def command(pytester):
    """The option that starts the server, with further arguments."""
    pytester.makepyfile(server=SERVER)

    def option(*arguments: str, port: str = "--port {port}") -> str:
        return f"--ws-command={sys.executable} server.py {port} {' '.join(arguments)}".rstrip()

    return option


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has waited for is none either.
    stat = Path(f"/proc/{number}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_command_is_started_once_and_waited_for(passes, command, pytester):
    """For tests of all kinds, in real time, on a free port; it ends with the run."""
    passes(
        HOLD
        + """
async def test_async(ws_connect, ws_command, ws_url):
    assert ws_url == ws_command.url == f"ws://127.0.0.1:{ws_command.port}"
    connection = await ws_connect(profile="frames")
    await connection.send("hello")
    assert await connection.recv(within="10s") == "hello"

@pytest.mark.ws_stability(url="/voice", profile="frames")
async def test_a_path(ws_connect, ws_command):
    assert (await ws_connect()).url == f"{ws_command.url}/voice"
""",
        command("--child"),
    )
    assert Path("started").read_text() == "x"
    assert not is_alive(int(Path("child").read_text()))


def test_the_port_is_in_the_environment_too(passes, command, ini):
    """For servers that read PORT; from the ini file."""
    ini(command(port="").replace("--ws-command=", "ws_command = "))
    passes(HOLD)


def test_what_it_printed_stands_below_a_failure(failure, command):
    """At the instants of the connection."""
    printed = failure(
        """
        async def test_it(ws_connect):
            connection = await ws_connect(profile="frames")
            await connection.send("exit")
            await connection.assert_alive_for("1m")
        """,
        command(),
    )
    output = printed.partition("output of the command")[2]
    assert " s  heard exit" in output
    assert "hello from" in output
    assert "[started: " in output


def test_of_a_long_line_the_beginning_is_kept(passes, command):
    """A server may print each message that it gets; the next line is one of its own."""
    passes(
        """
        async def test_it(ws_connect, ws_command):
            connection = await ws_connect(profile="frames")
            for text in ("x" * 100_000, "y" * 8186, "next"):
                await connection.send(text)
                await connection.recv()
            await connection.close()
            await ws_command.restart()
            heard = [line.text for line in ws_command.lines if line.text.startswith("heard ")]
            assert [len(text) for text in heard] == [4099, 8192, 10]
            assert [text[-3:] for text in heard] == ["...", "yyy", "ext"]
        """,
        command(),
    )


@posix
def test_a_deployment_a_crash_and_a_hang(passes, command):
    """restart() ends it politely, kill() does not; freeze() keeps its connections and answers nothing."""
    passes(
        """
        import pytest
        from pytest_wsstability import ConnectionEnded, StabilityError

        async def test_survives_a_deploy(ws_connect, ws_command):
            connection = await ws_connect(profile="frames")
            await ws_command.restart()
            with pytest.raises(ConnectionEnded, match="1001"):
                await connection.recv(within="10s")
            again = await connection.reconnect()
            await again.send("back")
            assert await again.recv(within="10s") == "back"

        async def test_a_crash(ws_connect, ws_command):
            connection = await ws_connect(profile="frames")
            await ws_command.kill()
            assert not ws_command.is_running
            with pytest.raises(ConnectionEnded, match="1006"):
                await connection.recv(within="10s")

        async def test_it_runs_again(ws_connect, ws_command):
            assert ws_command.is_running
            await ws_connect(profile="frames")

        async def test_a_hang(ws_connect, ws_command):
            connection = await ws_connect(profile="frames")
            await ws_command.freeze()
            assert "frozen" in repr(ws_command)
            with pytest.raises(StabilityError):
                await connection.assert_stable(alive_for="300ms", heartbeat_every="50ms")
            await ws_command.resume()

        async def test_left_frozen(ws_connect, ws_command):
            await ws_command.freeze()

        async def test_it_goes_on(ws_connect, ws_command):
            await ws_connect(profile="frames")
        """,
        command(),
    )


@posix
def test_the_output_of_a_command_shows_when_a_test_stopped_it(failure, command):
    """As it shows when it was started and how it ended."""
    printed = failure(
        """
        async def test_a_hang(ws_connect, ws_command):
            connection = await ws_connect(profile="frames")
            await ws_command.freeze()
            await ws_command.resume()
            await ws_command.kill()
            await connection.assert_alive_for("1m")
        """,
        command(),
    )
    notes = [line.split("  ")[-1] for line in printed.splitlines() if line.endswith("]") and " s  [" in line]

    assert notes[-3:] == ["[frozen]", "[resumed]", "[ended with exit code -9]"]


@posix
def test_how_a_command_was_started_is_no_word_of_the_server(run, command):
    """What its arguments limit ended nothing."""
    again = """
async def test_it(ws_connect, ws_command):
    connection = await ws_connect(profile="frames")
    await ws_command.restart()
    await connection.assert_alive_for("1m")
"""
    result = run(again, command("--rate-limit"))

    assert result.parseoutcomes() == {"failed": 1}
    assert "[started: " in result.stdout.str()
    assert "the server logged" not in result.stdout.str()


@posix
def test_a_command_that_ignores_sigterm_is_killed(passes, command, monkeypatch):
    """The run ends all the same, and the output says so."""
    monkeypatch.setattr("pytest_wsstability.plugin.servers.command._PATIENCE", 0.05)
    passes(
        """
        async def test_it(ws_connect, ws_command):
            await ws_command.restart()
            texts = [line.text for line in ws_command.lines]
            assert any(text.startswith("[it did not end within 0.05 s of SIGTERM: killed") for text in texts)
        """,
        command("--stubborn"),
    )


# Bad input.


def told(result: pytest.RunResult) -> str:
    """What is said in place of a traceback."""
    result.assert_outcomes(errors=1)
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "During handling" not in text
    return text


def test_a_command_that_ends_at_once_is_told(run, command):
    """With its exit code and its last lines, and only once."""
    result = run(HOLD + HOLD.replace("test_it", "test_again"), command("--exit"))

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([
        "--ws-command: the command ended with exit code 3 before port * was open; its last*",
        "*hello from *",
        "*the key is missing",
        "(told once more: it is not started again)",
    ])  # fmt: skip


def test_a_port_that_never_opens_is_told(run, command, ini):
    """After ws_command_timeout, with what to do."""
    ini("ws_command_timeout = 300ms")
    text = told(run(HOLD, command("--deaf")))

    assert "was not open after 0.3 s: let it listen on {port} or the variable PORT" in text
    assert "a port of its own into the ini file (ws_command_url = ws://127.0.0.1:8000), or raise" in text
    assert "or raise ws_command_timeout" in text


@pytest.fixture
def taken():
    """A server of an earlier run, which is still there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_a_port_that_is_taken_is_told(run, command, ini, monkeypatch, taken):
    """What listens there would be tested in place of the command."""
    monkeypatch.setattr("pytest_wsstability.plugin.servers.command._PATIENCE", 0.05)
    port = taken.getsockname()[1]
    ini(f"ws_command_url = ws://127.0.0.1:{port}")
    text = told(run(HOLD, command(port=f"--port {port}")))

    assert f"--ws-command: port {port} of 127.0.0.1 is taken before the command starts: end what" in text
    assert not Path("started").exists()


def test_a_port_that_is_free_in_time_is_used(passes, command, ini, monkeypatch, taken):
    """Children of a server that was restarted may hold it for a moment."""
    is_open, port = module._is_open, taken.getsockname()[1]

    def look(host, number):
        found = is_open(host, number)
        taken.close()
        return found

    monkeypatch.setattr(module, "_is_open", look)
    ini(f"ws_command_url = ws://127.0.0.1:{port}")
    passes(HOLD, command(port=f"--port {port}"))


def test_a_program_that_is_not_there_is_told(run):
    """By name."""
    text = told(run(HOLD, "--ws-command=no-such-program --port {port}"))

    assert re.search(r"--ws-command: 'no-such-program' cannot be started in /\S+: No such file", text)


@pytest.mark.real
def test_a_server_of_the_other_loopback_is_told(run, command, ini):
    """Where "localhost" means ::1 to it: with what to write."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("this machine has no ::1")
    ini("ws_command_timeout = 2s")
    # Servers on websockets before 17 log a traceback of each look whether they listen.
    result = run(HOLD, command("--six"))
    result.assert_outcomes(errors=1)
    text = result.stdout.str()

    assert "it listens on ::1: write ws_command_url = ws://[::1]:{port} into the ini file" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("node 'server", "No closing quotation"),
        (" ", "it is empty"),
        ("KEY=a node x.js", "no shell runs it, so 'KEY=a' sets nothing: write 'env KEY=a node x.js'"),
        ("cd web && node x.js", "no shell runs it, and 'cd' is a shell's: write sh -c 'cd web && node x.js'"),
        ("node x.js > log", "no shell runs it, and '>' is a shell's: write sh -c 'node x.js > log'"),
        ("node x.js --port $PORT", "no shell runs it, so '$PORT' stays as it is: write {port}"),
        ("node x.js --port=${PORT}", "no shell runs it, so '--port=${PORT}' stays as it is: write {port}"),
        ("go run . -addr :{PORT}", "no shell runs it, so ':{PORT}' stays as it is: write {port}"),
    ],
)
def test_a_command_that_cannot_be_read_is_a_usage_error(run, text, words):
    """As a shell would refuse it; no shell runs it."""
    result = run(HOLD, f"--ws-command={text}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --ws-command: *{words}*"])


def test_two_workers_need_a_port_each(run, monkeypatch):
    """A command without {port} would have one for all of them."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    result = run(HOLD, "--ws-command=node server.js")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --ws-command: 2 workers of xdist each start it, *: write {port} where *"]
    )


def test_workers_start_one_each(passes, command):
    """Once a worker, on ports of their own."""
    pytest.importorskip("xdist")
    two = HOLD + HOLD.replace("test_it", "test_other").replace("import pytest\n", "")
    # looptime asks for a current loop in a worker, which is deprecated from Python 3.12 on.
    assert passes(two, command(), "-n2", "-p", "no:looptime_plugin") == 2
    assert 1 <= len(Path("started").read_text()) <= 2


def test_a_process_has_real_time(refusal, command):
    """A mark that says otherwise is an error at collection."""
    printed = refusal(HOLD.replace('alive_for="200ms"', 'alive_for="200ms", time="virtual"'), command())
    assert "time: 'virtual', but --ws-command is a process of its own, which has real time" in printed


def test_the_fixture_without_a_command_is_an_error(refusal):
    """It says what to run."""
    printed = refusal("async def test_it(ws_command): ...")
    assert (
        "ws_command: no command is under test; run with --ws-command 'node server.js --port {port}'"
        in printed
    )


# daphne.

CHANNELS = """
from django.conf import settings

settings.configure()

from channels.generic.websocket import AsyncWebsocketConsumer

class Echo(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data)

app = Echo.as_asgi()
"""


def test_daphne_runs_in_a_process_of_its_own(passes, pytester):
    """In real time, with its own settings."""
    pytest.importorskip("daphne")
    pytest.importorskip("channels")
    pytester.makepyfile(app=CHANNELS)
    passes(
        """
        import pytest

        @pytest.mark.ws_server("daphne", ping_interval=1, websocket_timeout=60)
        @pytest.mark.ws_stability(alive_for="200ms", profile="frames")
        def test_it(ws_soak):
            assert ws_soak.timeline.tier.name == "REAL"
        """,
        "--ws-app=app:app",
    )


def test_channels_are_virtual_under_the_other_servers(passes, pytester):
    """The same app, an hour."""
    pytest.importorskip("channels")
    pytest.importorskip("uvicorn")
    pytester.makepyfile(app=CHANNELS)
    passes(
        """
        import pytest

        @pytest.mark.ws_server("uvicorn")
        @pytest.mark.ws_stability(alive_for="1h", heartbeat_every="25s", profile="frames")
        def test_it(ws_soak):
            assert ws_soak.timeline.tier.name == "VIRTUAL"
        """,
        "--ws-app=app:app",
    )


@pytest.mark.parametrize(
    ("args", "settings", "words"),
    [
        (["--ws-app=app:app()"], "", "daphne takes module:name and no factory, not 'app:app()'"),
        (["--ws-app=app:app"], ", ping=20", "ping is no setting of daphne (it has "),
        ([], "", "daphne runs in a process of its own: name the app with --ws-app module:name"),
    ],
)
def test_what_daphne_cannot_serve_is_a_usage_error(run, pytester, args, settings, words):
    """Before any test runs."""
    pytest.importorskip("daphne")
    pytester.makepyfile(app="app = None")
    result = run(
        HOLD.replace("def test_it", f"@pytest.mark.ws_server('daphne'{settings})\ndef test_it"),
        *args,
        conftest="import pytest\n@pytest.fixture\ndef ws_app(): ...",
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()


@pytest.mark.parametrize("settings", [{}, {"ping_interval": 20}])
def test_daphne_that_is_not_installed_is_said_with_its_extra(monkeypatch, settings):
    """With settings too, which are read from its help."""
    monkeypatch.setattr(module, "find_spec", lambda name: None)

    with pytest.raises(module.CommandError, match=r"daphne is not installed: pip install '.*\[daphne\]'"):
        module.daphne("app:app", settings)


@pytest.mark.parametrize("command", ["sh -c 'node x.js $PORT'", "node x.js $PORTAL {port}"])
def test_a_variable_that_a_shell_is_given_or_that_is_another_stays(command):
    """A shell puts the port in."""
    assert module.split(command) == shlex.split(command)


COLOURED = """
import asyncio, sys
from websockets.asyncio.server import serve

async def limited(connection):
    async for message in connection:
        print("\\x1b[32minfo\\x1b[39m: connection limit reached by 3 of 100, token=\\x1b[1mabc", flush=True)
        connection.transport.abort()

async def main():
    async with serve(limited, "127.0.0.1", int(sys.argv[1])) as server:
        await server.wait_closed()

asyncio.run(main())
"""


def test_colours_change_no_cause(run, pytester):
    """The level is read without them, and they are not shown."""
    pytester.makepyfile(coloured=COLOURED)
    result = run(
        """
async def test_it(ws_connect):
    connection = await ws_connect(profile="frames")
    await connection.send("x")
    await connection.assert_alive_for("200ms")
""",
        f"--ws-command={sys.executable} coloured.py {{port}}",
    )

    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*the server logged:*")
    result.stdout.fnmatch_lines(["*s  info: connection limit reached by 3 of 100, token=[*][*][*]"])


LEFT = """
import os, signal, sys
from pytest_wsstability.plugin.servers import watchdog
from pytest_wsstability.plugin.servers.command import ServerProcess

watchdog._PATIENCE = 0.1
words = [sys.executable, "server.py", "--port", "{port}", *sys.argv[2:]]
server = ServerProcess(words, url="ws://127.0.0.1:{port}", timeout=60, folder=".", source="--ws-command")
server.ensure()
child = os.fork()
if not child:
    os.close(1)
    signal.pause()
print(server.port, child, flush=True)
sys.stdin.read(1)
os._exit(3) if sys.argv[1] == "exit" else os.kill(os.getpid(), 9)
"""


@posix
@pytest.mark.parametrize(("how", "code"), [("exit", 3), ("kill", -9)])
@pytest.mark.parametrize("server", [[], ["--stubborn"]])
def test_a_process_that_ends_without_a_word_leaves_no_command(pytester, how, code, server):
    """As one does that a thread of pytest-timeout ends, or the system; whatever it has forked lives on."""
    pytester.makepyfile(server=SERVER, left=LEFT)
    words = [sys.executable, "left.py", how, *server]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as left:
        port, child = map(int, left.stdout.readline().split())
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                left.communicate(b"x")
                with suppress(ConnectionResetError):
                    while connection.recv(100):
                        pass
        finally:
            os.kill(child, signal.SIGKILL)
    assert left.returncode == code
