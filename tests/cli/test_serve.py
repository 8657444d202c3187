"""`wsstability serve` as a process: what it prints, whom it lets in, and how it ends."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
from contextlib import contextmanager

import pytest

from pytest_wsstability import OpeningError, connect
from pytest_wsstability.cli.serve import page
from pytest_wsstability.core.redact import show_session
from tests.cli.command import COMMAND

pytestmark = pytest.mark.real

# Seconds for what takes milliseconds, on a machine that is busy with something else.
LONG = 60


@contextmanager
def serving(*options):
    """The process, and the URL that it has printed."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"ws://[\w.\[\]:]+/", line)
            assert found, line + process.stderr.read()
            yield process, found[0]
        finally:
            process.kill()


def one_session(url, escaped):
    """A client that names its session so, and goes."""

    async def script():
        connection = await connect(url, profile="frames")
        await connection.send(f'{{"type":"session_info","session_id":"{escaped}"}}')
        await connection.ping()
        await connection.close()

    asyncio.run(script())


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("escaped", [r"\u001b[2J\n::error::injected", r"\u202e\r\u009b2J", r"%0A::warning::"])
def test_a_session_id_moves_no_cursor(options, escaped):
    """One line for the session, without control characters, whatever its client called it."""
    with serving(*options) as (process, url):
        one_session(url, escaped)
        process.send_signal(signal.SIGTERM)
        printed, complaints = process.communicate(timeout=LONG)

    lines = printed.split("\n")[:-1]
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert not lines[0].startswith("::")
    if options:
        assert json.loads(lines[0])["session"] == show_session(json.loads(f'"{escaped}"'))
    assert (process.returncode, complaints) == (0, "")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_it_ends_when_it_is_told_to(name):
    """With 0, its sessions closed."""
    with serving() as (process, url):

        async def script():
            connection = await connect(url)
            process.send_signal(getattr(signal, name))
            await connection.wait_closed()
            connection.assert_closed(code=1001, by="server")

        asyncio.run(script())
        assert process.wait(LONG) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("sessions", [0, 1])
def test_it_ends_when_nobody_reads_what_it_prints(sessions):
    """As in `serve | head -1`: no traceback, and no server that nobody knows of."""
    with serving() as (process, url):
        for _ in range(sessions):
            one_session(url, "abc")
        process.stdout.close()

        assert process.wait(LONG) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        # What follows depends on the version of websockets: how it reads bytes that are no ASCII.
        ([], "no session: refused with HTTP 403: Origin: 'https://e.example/\\\\"),
        (["--json"], '{"refused": 403, "told": "Origin: '),
    ],
)
def test_who_is_refused_is_printed(options, printed):
    """With the reason; what a client chose moves no cursor."""
    with serving(*options, "--allow-origin", "https://app.example") as (process, url):
        with pytest.raises(OpeningError, match="HTTP 403"):
            asyncio.run(connect(url, origin="https://e.example/\x9b2J"))

        line = process.stdout.readline()

    assert line.startswith(printed)
    assert line.rstrip("\n").isprintable()


def test_a_foreign_page_is_refused():
    """Unless its origin is allowed."""

    async def opening(url, origin):
        try:
            connection = await connect(url, origin=origin)
        except OpeningError as exc:
            return str(exc)
        await connection.close()
        return "opened"

    with serving("--allow-origin", "https://app.example", "--max-connections", "50") as (_, url):
        assert asyncio.run(opening(url, "https://app.example")) == "opened"
        assert asyncio.run(opening(url, None)) == "opened"
        assert "HTTP 403" in asyncio.run(opening(url, "https://evil.example"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--allow-origin", "app.example"], "wsstability serve: --allow-origin: 'app.example' is no origin"),
        (["--max-connections", "0"], "argument --max-connections: '0' is not a number of connections"),
        (["--max-connections", "many"], "argument --max-connections: 'many' is not a number of connections"),
        (["--host", ""], "--host: it is empty; give 127.0.0.1, or 0.0.0.0 for everywhere"),
    ],
)
def test_wrong_values(arguments, said):
    """With 2, naming the value."""
    found = subprocess.run(
        [*COMMAND, "serve", "--port", "0", *arguments],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )

    assert (found.returncode, found.stdout) == (2, "")
    assert said in found.stderr


def test_the_page_has_no_place_left_to_fill_in():
    """What the server knows is in it."""
    html = page()

    assert "1006" in html
    assert "/* close codes */" not in html
