"""The wsstability command in this process; tests/against/test_processes.py has it as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading

import pytest
from websockets.sync.server import serve

from pytest_wsstability import cli
from pytest_wsstability.report import json_file
from tests.cli.command import COMMAND, Terminal
from tests.report.made import cut
from tests.report.made import run as run_of
from tests.servers import launch
from tests.serving import SOON, Crowd, serving
from tests.signals import heed_signals

pytestmark = pytest.mark.real

SECRET = "s3cr3t-value"
# Nobody can listen on it without being root, and nobody does.
NOBODY = "ws://127.0.0.1:1"
# A hold whose answers may be late, as on a busy machine.
BEATING = ("--for", "1s", "--heartbeat", "300ms", "--within", "20s")


@pytest.fixture(scope="module")
def good():
    """The URL of a server that keeps every promise."""
    with serving() as url:
        yield url


@pytest.fixture(scope="module")
def closing():
    """The URL of a server that closes after a while, whatever the client does."""

    async def leave(connection):
        await asyncio.sleep(0.3)

    with serving(handler=leave) as url:
        yield url


@pytest.fixture
def run(capsys):
    """Run the command in this process: ``status, stdout, stderr = run("hold", url)``."""

    def runner(*arguments: str) -> tuple[int, str, str]:
        status = cli.main(arguments)
        return status, *capsys.readouterr()

    return runner


# hold: what it exits with and what it says.


def test_stable_is_0(run, good):
    """One line with target, horizon, tier and heartbeats; progress goes to stderr."""
    status, out, err = run("hold", good, *BEATING, "--session-within", "5s")

    assert status == 0
    assert re.fullmatch(rf"stable: {good} alive for 1 s in real time, 3 of 3 heartbeats answered\n", out)
    assert re.fullmatch(rf"0 s of 1 s, {good}: .*\n", err)


def test_heartbeats_that_nobody_answers_are_said_to_be_such(run):
    """By the protocol, so none of them was missed."""
    with serving(profile="deepgram") as url:
        _, out, _ = run("hold", url, "--for", "1s", "--heartbeat", "300ms", "--profile", "deepgram")

    assert out == f"stable: {url} alive for 1 s in real time, 3 heartbeats, which nobody answers\n"


def test_unstable_is_1(run, closing):
    """The whole diagnosis, as a failing test prints it."""
    status, out, _ = run("hold", closing, "--for", "2s")

    assert status == 1
    headline, *block = out.splitlines()
    assert headline.startswith("unstable: ")
    assert "1000 at " in headline
    assert "  expected  alive for 2 s" in block
    assert "  planned?  allow_close=1000 allows this end" in block


@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_reason_that_the_encoding_of_the_output_lacks_is_escaped(monkeypatch, tmp_path, encoding, errors):
    """A peer chose exit code 2, and that there was no report: on Windows a file is in cp1252."""

    async def leave(connection):
        await connection.close(4001, "終了")

    written, report = io.BytesIO(), tmp_path / "report.json"
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, errors=errors))
    with serving(handler=leave) as url:
        assert cli.main(["hold", url, "--for", "2s", "--report", str(report)]) == 1

    assert r"received 4001 (private use) \u7d42\u4e86" in written.getvalue().decode(encoding)
    assert (
        "終了"
        in json.loads(report.read_text("utf-8"))["results"][0]["timelines"][0]["close"]["received"]["reason"]
    )


def test_not_opened_is_1(run):
    """Nothing is known about stability, but the check has failed."""
    status, out, _ = run("hold", NOBODY, "--for", "1s")

    assert status == 1
    assert out.splitlines() == [
        f"{NOBODY} did not open (TCP connection): nobody listens on 127.0.0.1:1 (connection refused)",
        "  fix       see whether the server listens on this port; refused for seconds only is a restart",
        "  read on   wsstability explain opening-connect",
    ]


def test_inconclusive_is_3(run, good):
    """A client that reads nothing cannot say that answers were late; the word stands there once."""
    status, out, _ = run("hold", good, "--for", "1s", "--heartbeat", "300ms", "--client", "stalled")

    assert status == 3
    assert out.startswith("inconclusive: this end reads nothing")
    assert out.count("inconclusive") == 1


def test_json_has_the_diagnosis(run, closing):
    """The cause, who is to blame, and what proves it; the same as the text says."""
    status, out, _ = run("hold", closing, "--for", "2s", "--json")

    found = json.loads(out)["diagnosis"]
    assert status == 1
    assert (found["cause"], found["blame"]) == ("a close of the other end on purpose", "server")
    assert found["evidence"]


def test_json_of_what_did_not_open(run):
    """Nobody listens: that is no instability, and told apart from it."""
    status, out, _ = run("hold", NOBODY, "--for", "1s", "--json")

    report = json.loads(out)
    assert (status, report["outcome"]) == (1, "not opened")
    assert report["diagnosis"]["cause"] == "an address where nothing listens"


def test_json_of_a_stable_hold(run, good):
    """One object on stdout, and no progress beside it."""
    status, out, err = run("hold", good, *BEATING, "--json")

    report = json.loads(out)
    assert (status, err) == (0, "")
    assert report["outcome"] == report["headline"] == "stable"
    assert (report["url"], report["tier"], report["horizon"]) == (good, "real time", 1.0)
    assert (report["violations"], report["doubts"]) == ([], [])
    assert report["heartbeats"]["sent"] == 3
    assert 0 < report["heartbeats"]["slowest"] < 1
    assert 0 < report["session_confirmed_at"] < 1


def test_json_of_an_unstable_hold(run, closing):
    """The broken promise with its instant."""
    status, out, err = run("hold", closing, "--for", "2s", "--json")

    report = json.loads(out)
    (violation,) = report["violations"]
    assert (status, err, report["outcome"]) == (1, "", "unstable")
    assert (violation["rule"], violation["expected"]) == ("alive", "alive for 2 s")
    assert 0 < violation["at"] == report["horizon"] < 2


def test_json_of_an_inconclusive_hold(run, good):
    """The doubts with their reasons."""
    arguments = ["--for", "1s", "--heartbeat", "300ms", "--client", "stalled", "--json"]
    status, out, err = run("hold", good, *arguments)

    report = json.loads(out)
    assert (status, err, report["outcome"]) == (3, "", "inconclusive")
    assert [doubt["reason"] for doubt in report["doubts"]] == ["reading was paused"]


def test_json_of_a_hold_that_did_not_open(run):
    """The same words as in the text."""
    status, out, err = run("hold", NOBODY, "--for", "1s", "--json")

    report = json.loads(out)
    assert (status, err) == (1, "")
    assert report["outcome"] == "not opened"
    assert report["error"].startswith(f"{NOBODY} did not open (TCP connection)")


def test_protocol_pings_as_heartbeats(run, good):
    """--profile frames needs no application protocol."""
    status, out, _ = run("hold", good, *BEATING, "--profile", "frames")

    assert status == 0
    assert " of 3 heartbeats answered" in out


def test_progress_on_a_terminal_is_one_line(good, monkeypatch):
    """Written over, and ended with a line break."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    assert cli.main(["hold", good, *BEATING, "--for", "1200ms"]) == 0

    shown = terminal.getvalue()
    assert shown.startswith("0/1.2 s  [..........]  ")
    assert shown.count("\n") == 1
    assert shown.endswith("\n")
    last = shown.split("\r\x1b[J")[-1]
    # How late the last line is depends on the machine.
    assert re.match(rf"1/1\.2 s  \[#{{8,10}}\.{{0,2}}\]  \d/\d  \S+ ms  \+.*  {good}$", last)


# hold: what it refuses.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ftp://127.0.0.1"], r"url: 'ftp://127.0.0.1' is not a WebSocket URL"),
        (["ws://127.0.0.1:99999"], r"url: .* is not a WebSocket URL \(its port is none from 1 to 65535\)"),
        ([NOBODY, "--for", "soon"], r"--for: 'soon' is not a duration; give seconds"),
        ([NOBODY, "--for", "0"], r"--for: must be longer than 0"),
        (
            [NOBODY, "--for", "1s", "--heartbeat", "2s"],
            r"--heartbeat: 2 s is not shorter than the hold \(--for=1 s\), so no heartbeat",
        ),
        ([NOBODY, "--heartbeat", "x"], r"--heartbeat: 'x' is not a duration"),
        ([NOBODY, "--within", "5s"], r"--within: answers to what\? give --heartbeat too"),
        ([NOBODY, "--heartbeat", "1s", "--within", "x"], r"--within: 'x' is not a duration"),
        ([NOBODY, "--session-within", "x"], r"--session-within: 'x' is not a duration"),
        ([NOBODY, "--profile", "xml"], r"--profile: 'xml' is unknown; valid ones: 'json', 'frames'"),
        (
            [NOBODY, "--profile", "frames", "--session-within", "1s"],
            r"--session-within: the profile 'frames' has no session to confirm; say which message",
        ),
        (
            [NOBODY, "--profile", "os:environ"],
            r"--profile: 'os:environ' is of the type _Environ, which is no",
        ),
        ([NOBODY, "--client", "ie6"], r"--client: 'ie6' is no kind of client; valid ones: 'browser', 'mute'"),
        ([NOBODY, "--ca", "no-such.pem"], r"--ca: there is no file 'no-such.pem'; give a PEM file"),
        (["wss://127.0.0.1:1", "--ca", __file__], r"--ca: .*test_cli\.py' cannot be read as PEM"),
        ([NOBODY, "--cert", "no-such.pem"], r"--cert: there is no file 'no-such.pem'; give a PEM file"),
        (
            ["ws://a.invalid", "--proxy", "ftp://b"],
            r"--proxy: .*; give http://host:port, socks5://host:port, or",
        ),
        ([NOBODY, "--header", "X-Trace"], r"--header: a value without a header's name; give 'Name: value'"),
        ([NOBODY, "--header", "X-A: b\r\nX-C: d"], r"header X-A: the value has a line break"),
    ],
)
def test_a_wrong_value_is_2(run, arguments, said):
    """One line on stderr that names it, before anything is dialled."""
    status, out, err = run("hold", *arguments)

    assert (status, out) == (2, "")
    assert re.fullmatch(rf"wsstability hold: {said}.*\n", err)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["hold"], "required: url"),
        (["hold", NOBODY, "--fro", "1s"], "unrecognized arguments: --fro ***"),
        (["prob", NOBODY], "invalid choice: 'prob'"),
        (["serve", "--port", "http"], "argument --port: 'http' is not a port; give 0 to 65535"),
        (["serve", "--port", "70000"], "argument --port: '70000' is not a port; give 0 to 65535"),
        (["serve", "--port=-1"], "argument --port: '-1' is not a port; give 0 to 65535"),
    ],
)
def test_a_wrong_option_is_2(capsys, arguments, said):
    """As every command of the system does it."""
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(arguments)

    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("hold", "0 stable, 1 unstable or not opened, 2 usage, 3 inconclusive, 130"),
        ("serve", "130 interrupted"),
        ("probe", "1 not opened, 2 usage, 3 inconclusive, 130 interrupted"),
    ],
)
def test_the_help_says_the_exit_status(capsys, command, said):
    """Scripts branch on it."""
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main([command, "--help"])

    assert said in " ".join(capsys.readouterr().out.split())


# hold: headers and TLS.


@pytest.mark.parametrize(
    "header",
    [f"Authorization: Bearer {SECRET}", f"X-Api-Key:{SECRET}", SECRET, f": {SECRET}", f"Bearer {SECRET}: x"],
)
@pytest.mark.parametrize("json_too", [[], ["--json"]])
@pytest.mark.parametrize("target", ["good", "closing", "nobody"])
def test_no_secret_is_printed(run, request, header, json_too, target):
    """Neither from a header, well formed or not, nor from the URL, whatever comes of the hold."""
    url = NOBODY + "/" if target == "nobody" else request.getfixturevalue(target)

    status, out, err = run("hold", f"{url}?token={SECRET}", "--for", "500ms", "--header", header, *json_too)

    assert status in (0, 1, 2)
    assert SECRET not in out + err
    assert SECRET[:6] not in out + err


def test_headers_are_sent(run):
    """Repeated, in their order; and a server may demand them."""
    received: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            client, _ = server.accept()
            with client:
                received.extend(client.recv(65536).decode().split("\r\n"))
                client.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nno entry\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        url = f"ws://127.0.0.1:{server.getsockname()[1]}/"
        arguments = ["--header", f"Authorization: {SECRET}", "--header", "X-A:b", "--subprotocol", "voice.v1"]
        status, out, err = run("hold", url, "--for", "1s", *arguments)
        thread.join()

    assert (status, err) == (1, "")
    said, fix, read_on = out.splitlines()
    assert said == f"{url} did not open (upgrade refused): HTTP 401 Unauthorized: no entry"
    assert fix.startswith(
        "  fix       give what the server asks for: a token (--header 'Authorization: ...')"
    )
    assert read_on == "  read on   wsstability explain opening-http"
    assert {f"Authorization: {SECRET}", "X-A: b", "Sec-WebSocket-Protocol: voice.v1"} <= set(received)


@pytest.fixture
def redirecting(good):
    """The URL of a server that sends everybody to another."""
    answer = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {good}\r\nContent-Length: 0\r\n\r\n".encode()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def redirect() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(answer)

        thread = threading.Thread(target=redirect)
        thread.start()
        yield f"ws://127.0.0.1:{server.getsockname()[1]}/"
        thread.join()


def test_advice_names_what_the_command_has(run, redirecting, good):
    """In JSON too: the option that is named is one of this command, and helps."""
    status, out, _ = run("hold", redirecting, "--for", "200ms", "--json")
    advice = json.loads(out)["diagnosis"]["remedy"]

    assert status == 1
    assert "(--redirects)" in advice
    assert "--ws-" not in out


@pytest.mark.parametrize("command", ["hold", "probe"])
def test_what_did_not_open_is_in_the_report(run, tmp_path, command):
    """Instead of the run before, which was stable; and who reads the report exits with 1 too."""
    paths = [tmp_path / f"night.{suffix}" for suffix in ("json", "xml", "md", "html")]
    for path in paths:
        path.write_text("stale")
    status, out, _ = run(command, f"{NOBODY}/?token={SECRET}", *(f"--report={path}" for path in paths))
    said = "did not open (TCP connection): nobody listens on 127.0.0.1:1 (connection refused)"

    assert status == 1
    assert said in out
    for path in paths:
        assert said in path.read_text()
        assert SECRET not in path.read_text()
    assert 'tests="1" failures="0" errors="1"' in paths[1].read_text()
    assert run("report", str(paths[0]))[0] == 1


def test_redirects_are_followed_when_told_to(run, redirecting):
    """As many as are given."""
    assert run("hold", redirecting, "--for", "200ms", "--redirects", "1")[0] == 0


def test_a_url_of_http_is_taken_for_one_of_websocket(run, good):
    """As pytest --ws-url and browsers take it."""
    status, out, _ = run("hold", good.replace("ws://", "http://"), "--for", "200ms")

    assert status == 0
    assert out.startswith(f"stable: {good} alive for")


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """A server with a certificate that the system does not trust."""
    name = next((name for name in launch.STACKS if launch.missing(name) is None), None)
    if name is None:
        pytest.skip("; ".join(f"{name}: {launch.missing(name)}" for name in launch.STACKS))
    with launch.start(name, tls=launch.make_tls(tmp_path_factory.mktemp("tls"))) as server:
        yield server


def test_certificates_are_checked(run, secure):
    """The advice names the options of this command."""
    status, out, _ = run("hold", secure.url("/ws"), "--for", "200ms")

    assert status == 1
    assert "did not open (TLS handshake): the certificate is not trusted: " in out
    assert "; trust its authority with --ca FILE, or check nothing with --insecure\n" in out


@pytest.mark.parametrize("how", ["--ca", "--insecure"])
def test_certificates_are_trusted_when_told_to(run, secure, how):
    """Both ways out lead out."""
    arguments = [how, secure.tls.cafile] if how == "--ca" else [how]

    assert run("hold", secure.url("/ws"), "--for", "200ms", *arguments)[0] == 0


# serve.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--read-deadline", "0"], r"--read-deadline: must be longer than 0"),
        (["--ping-interval", "often"], r"--ping-interval: 'often' is not a duration"),
        (["--deadline-reset-by", "pong,luck"], r"--deadline-reset-by: 'luck' is no kind of traffic"),
        (["--on-deadline", "1006"], r"--on-deadline: 1006 is neither 'drop' nor a close code"),
        (["--on-deadline", "explode"], r"--on-deadline: 'explode' is neither 'drop' nor a close code"),
        (["--profile", "xml"], r"--profile: 'xml' is unknown"),
        (["--allow-origin", "x"], r"--allow-origin: 'x' is no origin"),
        (["--fault-connections", "1"], r"--fault-connections: of which faults\? give --fault too"),
        (["--fault", "dropp"], r"fault 'dropp': unknown fault 'dropp' \(did you mean 'drop'\?\)"),
        (["--fault", "drop", "--fault", "drop at 5s"], r"faults: faults.Drop\(\) at 5 s: .* has ended the"),
        (
            ["--fault", "drop", "--fault-connections", "0"],
            r"--fault-connections: 0 is not a number of connections",
        ),
        (["--fault", "wrong_session", "--profile", "frames"], r"faults: .* has no session to confirm"),
        (["--host", "203.0.113.9"], r"the orchestrator cannot listen on 203.0.113.9:0"),
    ],
)
def test_serve_refuses_wrong_values(run, arguments, said):
    """With 2 and one line, before it listens."""
    status, out, err = run("serve", "--port", "0", *arguments)

    assert (status, out) == (2, "")
    assert re.match(rf"wsstability serve: {said}.*\n\Z", err)


def test_serve_refuses_a_port_in_use(run, good):
    """The message names the address, and there is no traceback."""
    port = good.rstrip("/").rpartition(":")[2]

    status, out, err = run("serve", "--port", port)

    assert (status, out) == (2, "")
    assert err.startswith(f"wsstability serve: the orchestrator cannot listen on 127.0.0.1:{port}: ")
    assert err.count("\n") == 1
    assert "already in use" in err


def test_version(capsys):
    """The distribution's name and version."""
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])

    assert re.fullmatch(r"pytest-wsstability \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_the_profile_can_be_left_to_the_server(run, good):
    """What it looks like is told, with the option that says so next time."""
    status, out, err = run("hold", good, "--for", "300ms", "--profile", "auto", "--json")

    assert status == 0
    assert "this looks like JSON messages: --profile json" in err
    assert json.loads(out)["profile"] == "json"


def test_a_server_that_is_not_there_has_no_profile(run):
    """It did not open, as without the option."""
    status, out, _ = run("hold", NOBODY, "--for", "300ms", "--profile", "auto")

    assert status == 1
    assert "refused" in out


# How a command ends before its time.


class Beating(Crowd):
    """Those who have sent a heartbeat: what is known of them is known to the command by then, too."""

    async def handle(self, connection):
        while not connection.timeline.heartbeats.sent:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await super().handle(connection)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
@pytest.mark.parametrize(("ending", "status"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("hold", "inconclusive: interrupted at "),
        ("hold --json", '"headline": "inconclusive: interrupted at '),
        ("fleet", "inconclusive: interrupted at "),
        ("fleet --json", '"headline": "inconclusive: interrupted at '),
        ("probe", "nothing ended a connection within "),
        ("probe --json", '"sentence": "nothing ended a connection within '),
    ],
)
def test_what_is_known_is_printed_at_the_end(command, said, ending, status):
    """By whatever signal it comes: the verdict on what was seen, the exit code, and no traceback."""
    crowd = Crowd(12) if "probe" in command else Beating(3 if "fleet" in command else 1)
    words = [*command.split(), *(["--max=10m"] if "probe" in command else ["--for=10m", "--heartbeat=100ms"])]
    if "fleet" in command:
        # Some are not open yet then.
        words += ["--connections=12", "--ramp=12s"]
    with serving(handler=crowd.handle) as url:
        process = subprocess.Popen(
            [*COMMAND, words[0], url, *words[1:]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=heed_signals,
        )  # fmt: skip
        try:
            assert crowd.complete.wait(SOON)
            process.send_signal(getattr(signal, ending))
            printed, complaints = process.communicate(timeout=SOON)
        finally:
            process.kill()

    assert process.returncode == status, complaints
    assert "Traceback" not in complaints
    assert said in printed
    if "fleet" in command:
        assert "unobserved" in printed
    if "--json" in command:
        json.loads(printed.splitlines()[-1])


def test_an_interrupt_while_a_command_loads(run, monkeypatch):
    """Nothing is known yet: 130, and no traceback of imports."""

    def load(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "load", load)

    assert run("hold", NOBODY) == (130, "", "interrupted\n")


@pytest.mark.parametrize("arguments", [["report", "FILE"], ["report", "FILE", "--json"], ["hold", NOBODY]])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_is_told_by_the_exit_code(tmp_path, arguments):
    """2, one line on stderr, and no traceback."""
    file = tmp_path / "a.json"
    file.write_text(json_file.render(run_of(cut())))
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, *(str(file) if each == "FILE" else each for each in arguments)],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=SOON,
        )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr == f"wsstability {arguments[0]}: No space left on device\n"


def test_nobody_reads_what_it_prints(tmp_path):
    """As in ``wsstability report FILE | head -1``: 141, as shells have it, and no word."""
    file = tmp_path / "a.json"
    file.write_text(json_file.render(run_of(cut())))
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "report", str(file)], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=SOON
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="sh closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
@pytest.mark.parametrize("command", ["hold --for=100ms", "fleet --connections=1 --for=100ms"])
def test_streams_that_were_closed_before_the_start(good, command, closed):
    """What is printed is for nobody, and the exit code is that of the verdict: 1 would be unstable."""
    line = f"{shlex.join(COMMAND)} {command} {good} {closed}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=SOON)

    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "command", ["hold --for=100ms", "fleet --connections=1 --for=100ms", "probe --max=1s"]
)
def test_what_goes_on_is_lost_and_the_result_is_not(good, command):
    """A disk that is full, or a pipe that nobody reads, has the progress alone."""
    reader, writer = os.pipe()
    os.close(reader)
    with open("/dev/full", "w") as full:
        for stderr in (full, writer):
            done = subprocess.run(
                [*COMMAND, *command.split(), good],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                timeout=SOON,
            )

            assert done.returncode == 0
            assert good in done.stdout
    os.close(writer)


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe always waits there")
def test_what_goes_on_does_not_wait_for_a_slow_reader(good):
    """A pipe that Node.js has made does not wait: what finds no room in it is lost."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x")
    done = subprocess.run(
        [*COMMAND, "hold", "--for=100ms", good],
        stdout=subprocess.PIPE,
        stderr=writer,
        text=True,
        timeout=SOON,
    )
    os.close(reader)
    os.close(writer)

    assert done.returncode == 0
    assert good in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="sh closes the streams")
def test_a_closed_stream_and_what_did_not_open():
    """The one that is open has it."""
    line = f"{shlex.join(COMMAND)} hold {NOBODY} 2>&-"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=SOON)

    assert (done.returncode, done.stdout.startswith(f"{NOBODY} did not open")) == (1, True)


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("command", [["hold"], ["probe"], ["fleet", "--connections=1"]])
def test_no_command_prints_what_it_was_given(run, command, options):
    """Of the URL and the header, in errors and in results; a value of another option least of all."""
    url = f"ws://joe:{SECRET}@127.0.0.1:1/?token={SECRET}"
    status, out, err = run(*command, url, f"--header=X-Key: {SECRET}", "--header=Bad", *options)

    assert status == 2
    assert SECRET not in out + err

    for words in ([*command, url], [*command, url.replace(":1/", ":0/")]):
        status, out, err = run(*words, f"--header=X-Key: {SECRET}", f"--subprotocol={SECRET}", *options)
        assert status in (1, 2, 3)
        assert SECRET not in out + err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--heder", f"X-Key: {SECRET}"], "--heder ***"),
        ([f"--heder=X-Key: {SECRET}"], "--heder"),
        ([f"X-Key: {SECRET}"], "***"),
    ],
)
def test_a_mistyped_option_is_told_without_its_value(capsys, words, told):
    """The value may be a token, and the log of CI is read by many."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["hold", "ws://127.0.0.1:1/", *words])

    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"wsstability: error: unrecognized arguments: {told}"


# What every command has.


def test_a_report_of_a_hold(run, good, tmp_path):
    """In each form, as pytest writes it; the verdict is printed all the same."""
    paths = [tmp_path / name for name in ("a.json", "a.md")]
    status, out, _ = run("hold", good, "--for=100ms", *(f"--report={path}" for path in paths))
    (held,) = json.loads(paths[0].read_text())["results"]

    assert (status, out.partition(":")[0]) == (0, "stable")
    assert held["verdict"]["outcome"] == "stable"
    assert held["nodeid"] == f"wsstability hold {held['url']}"
    assert paths[1].read_text().startswith("## WebSocket stability")


def test_a_report_that_cannot_be_is_refused_before_the_hold(run):
    """Nobody connects for nothing."""
    status, out, err = run("hold", NOBODY, "--report=a.txt")

    assert (status, out) == (2, "")
    assert "'a.txt': a report cannot be '.txt'; valid ones: .json" in err


@pytest.mark.parametrize("command", [["hold", "--for=100ms"], ["probe", "--max=1s"]])
def test_the_origin_is_sent(run, command):
    """As a browser sends it: servers look at it."""
    seen = []

    def note(connection):
        seen.append(connection.request.headers.get("Origin"))
        for _ in connection:
            pass

    with serve(note, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        run(command[0], url, *command[1:], "--profile=frames", "--origin=https://app.example")

    assert set(seen) == {"https://app.example"}


def test_a_profile_of_ones_own(run, good, tmp_path, monkeypatch):
    """module:NAME, from the folder where the command is run."""
    (tmp_path / "my_protocol.py").write_text(
        "from pytest_wsstability.profiles import FRAMES\nOURS = FRAMES.replace(name='ours')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])

    assert run("hold", good, "--for=100ms", "--profile=my_protocol:OURS")[0] == 0
    status, _, err = run("hold", good, "--for=100ms", "--profile=my_protocol:THEIRS")
    assert status == 2
    assert "profile: 'my_protocol:THEIRS' is not there" in err


def test_completion(capsys):
    """For the shells that shtab knows."""
    pytest.importorskip("shtab", reason="shtab is not installed")
    with pytest.raises(SystemExit) as ended:
        cli.main(["--print-completion", "bash"])
    printed = capsys.readouterr().out

    assert ended.value.code == 0
    assert "--session-within" in printed
    assert "_shtab_wsstability wsstability" in printed
    assert "explain_pos_0_choices=(machine-slept " in printed


def test_completion_without_shtab(capsys, monkeypatch):
    """The extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["--print-completion", "bash"])

    assert ended.value.code == 2
    assert "pip install 'pytest-wsstability[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["fleet", "hold", "probe"])
def test_durations_are_explained(capsys, command):
    """Where they are asked for."""
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])

    assert "DURATION: seconds, or 500ms, 25s, 2m, 1m30s, 24h" in " ".join(capsys.readouterr().out.split())
