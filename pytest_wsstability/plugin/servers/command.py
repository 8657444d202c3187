"""A server under test in a process of its own: started, waited for, heard, ended with its children."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from ...core.asserted import doing
from ...core.unescaped import without_colours
from .logs import LONGEST, LogLine, cut
from .watchdog import Watchdog

# Lines of its output that are kept, and of those that a message shows.
_KEPT = 2000
_LAST = 20
# Seconds that it gets to end by itself, and its port to be free.
_PATIENCE = 5.0
# Seconds between two looks whether its port is open.
_LOOK = 0.02
PORT = "{port}"
# What "localhost" may mean to a server: Node listens on ::1 alone where the name resolves to that first.
_OTHER = {"127.0.0.1": "::1", "::1": "127.0.0.1"}
# Words that only a shell understands (POSIX, Shell Command Language, 2.2 to 2.10).
_OF_A_SHELL = {"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"}
_BUILT_IN = {"cd", "export", "source"}
# The port as a shell has it, in a word that no shell is given.
_SHELL_PORT = re.compile(r"\S*(?:\$PORT\b|\$?\{PORT\})\S*")
# Windows has one way to end a process.
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class CommandError(Exception):
    """A command did not come up, or cannot be used so."""


class ServerProcess:
    """
    A server under test in a process of its own, in real time.

    Attributes:
        url: where it listens.
        port: the port that it was given, free when it was chosen.
        lines: what it has printed, with instants of the monotonic clock, which is that of event loops too.

    """

    def __init__(self, words: Sequence[str], *, url: str, timeout: float, folder: str, source: str) -> None:
        self.port = _free_port()
        self.url = url.replace(PORT, str(self.port))
        self.lines: deque[LogLine] = deque(maxlen=_KEPT)
        self._words = [word.replace(PORT, str(self.port)) for word in words]
        self._timeout = timeout
        self._folder = folder
        # For messages: ``--ws-command``.
        self._source = source
        self._process: subprocess.Popen[str] | None = None
        self._watchdog: Watchdog | None = None
        self._reader: threading.Thread | None = None
        self._is_frozen = False
        self._ended_at: float | None = None

    def __repr__(self) -> str:
        state = "not running" if not self.is_running else "frozen" if self._is_frozen else "running"
        return f"<ServerProcess {shlex.join(self._words)}: {state}, {self.url}>"

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and not _has_ended(self._process)

    def ended_within(self, seconds: float, *, since: float) -> float | None:
        """
        When it ended last, by the monotonic clock; None if it has not since then, and runs on for so long.

        A process that ends closes its connections some moments before its output. One that was started again
        may end again.

        """
        if self._reader is not None and (self._ended_at is None or self._ended_at < since):
            self._reader.join(seconds)
        return self._ended_at if self._ended_at is not None and self._ended_at >= since else None

    @property
    def end(self) -> str:
        """How it ended, in words: ``ended with exit code 1``."""
        code = _exit_code(self._process) if self._process is not None else None
        if code is None:
            return "ended"
        return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    # What tests do to it.

    @doing("the server stayed up", on="ws_command.")
    async def restart(self) -> None:
        """
        End it as a deployment does, with SIGTERM, and start it again on the same port.

        Raises:
            CommandError: if it does not come up again.

        """
        await asyncio.to_thread(self._restart)

    @doing("the server stayed up", on="ws_command.")
    async def kill(self) -> None:
        """End it and its children at once, with SIGKILL; `restart` starts it again."""
        await asyncio.to_thread(self._end, _KILL)

    @doing("the server went on", on="ws_command.")
    async def freeze(self) -> None:
        """
        Stop it, as a machine that hangs: it keeps its connections and does nothing.

        Raises:
            CommandError: where the system has no SIGSTOP, or if it does not run.

        """
        self._send("SIGSTOP")
        self._is_frozen = True
        self._note("frozen")

    @doing("the server stayed frozen", on="ws_command.")
    async def resume(self) -> None:
        """Let it go on after `freeze`."""
        self._send("SIGCONT")
        self._is_frozen = False
        self._note("resumed")

    # What the plugin does.

    def ensure(self) -> None:
        """
        See that it runs and accepts connections, whatever the test before did to it.

        Raises:
            CommandError: if it does not come up.

        """
        if self._is_frozen and self.is_running:
            self._send("SIGCONT")
        self._is_frozen = False
        if not self.is_running:
            # The children of one that has crashed may have its port.
            self._restart()

    def stop(self) -> None:
        """End it and its children: with SIGTERM, and with SIGKILL what has not ended after 5 s."""
        self._end(signal.SIGTERM)

    def _restart(self) -> None:
        self.stop()
        self._start()

    def _start(self) -> None:
        self._wait_until_free()
        self._note(f"started: {shlex.join(self._words)}")
        try:
            self._process = subprocess.Popen(
                self._words,
                cwd=self._folder,
                env={**os.environ, "PORT": str(self.port), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                # A group of its own, so that its children end with it, and Ctrl-C is for pytest.
                start_new_session=True,
            )
        except OSError as exc:
            program = self._words[0]
            raise CommandError(
                f"{self._source}: {program!r} cannot be started in {self._folder}: {exc.strerror or exc}"
            ) from None
        self._watchdog = Watchdog(self._process.pid)
        self._reader = threading.Thread(
            target=self._read, args=(self._process,), name="wsstability-command", daemon=True
        )
        self._reader.start()
        self._wait(self._process)

    @property
    def _address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or self.port

    def _wait_until_free(self) -> None:
        """See that nobody listens yet: another server would be tested in place of the one that is started."""
        host, port = self._address
        end = time.monotonic() + _PATIENCE
        while _is_open(host, port):
            if time.monotonic() >= end:
                raise CommandError(
                    f"{self._source}: port {port} of {host} is taken before the command starts: end what "
                    "listens there (a server of an earlier run, or one that the command left in the "
                    f"background), or write {PORT} for the number, in the command and in ws_command_url"
                )
            time.sleep(_LOOK)

    def _wait(self, process: subprocess.Popen[str]) -> None:
        host, port = self._address
        end = time.monotonic() + self._timeout
        while time.monotonic() < end:
            if _has_ended(process):
                self.stop()
                raise CommandError(
                    f"{self._source}: the command ended with exit code {process.returncode} before port "
                    f"{port} was open{self._last()}"
                )
            if _is_open(host, port):
                return
            time.sleep(_LOOK)
        advice = (
            f"let it listen on {PORT} or the variable PORT, write a port of its own into the ini file "
            f"(ws_command_url = ws://{host}:8000), or raise ws_command_timeout"
        )
        if (other := _OTHER.get(host)) is not None and _is_open(other, port):
            shown = f"[{other}]" if ":" in other else other
            advice = f"it listens on {other}: write ws_command_url = ws://{shown}:{PORT} into the ini file"
        self.stop()
        raise CommandError(
            f"{self._source}: port {port} of {host} was not open after {self._timeout:.3g} s: {advice}"
            f"{self._last()}"
        )

    def _end(self, first: int) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        if not _has_ended(process):
            if self._is_frozen:
                # A stopped process takes no signal but SIGKILL.
                self._send("SIGCONT")
            _signal(process, first)
            end = time.monotonic() + _PATIENCE
            while not _has_ended(process) and time.monotonic() < end:
                time.sleep(_LOOK)
            if not _has_ended(process):
                self._note(f"it did not end within {_PATIENCE:g} s of SIGTERM: killed")
        # Its children too. Nobody has waited for it yet, so that the number of its group is still its own.
        _signal(process, _KILL)
        if self._watchdog is not None:
            self._watchdog.leave()
        process.wait()
        self._settle()
        self._is_frozen = False

    def _settle(self) -> None:
        """Have all that it has printed, and note its end."""
        if self._reader is not None and self._process is not None:
            self._reader.join(1)
            self._reader = None
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._note(f"ended with exit code {self._process.returncode}")

    def _send(self, name: str) -> None:
        number = getattr(signal, name, None)
        if number is None:
            raise CommandError(f"{self._source}: this system has no {name}, with which a process is frozen")
        if self._process is None or not self.is_running:
            raise CommandError(f"{self._source}: the command does not run; await restart() starts it again")
        _signal(self._process, number)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with suppress(ValueError):
            begins = True
            # A line that has no end is never there as a whole: behind its beginning it is thrown away.
            while piece := process.stdout.readline(LONGEST + 1):
                if begins:
                    self.lines.append(LogLine(time.monotonic(), without_colours(cut(piece.rstrip("\n")))))
                begins = piece.endswith("\n")
            # The system closes what a process has open when that ends.
            self._ended_at = time.monotonic()

    def _note(self, text: str) -> None:
        self.lines.append(LogLine(time.monotonic(), f"[{text}]", is_note=True))

    def _last(self) -> str:
        lines = [line.text for line in list(self.lines)[-_LAST:]]
        return "; its last lines:\n  " + "\n  ".join(lines) if lines else "; it has printed nothing"


def split(command: str) -> list[str]:
    """
    The words of a command as a shell would have them; no shell runs it.

    Raises:
        CommandError: for quotes that do not end, or no words at all.

    """
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError as exc:
        raise CommandError(f"{command!r} cannot be read: {exc}") from None
    if not words:
        raise CommandError("it is empty; give a program and its arguments")
    if "=" in words[0] and words[0].partition("=")[0].isidentifier():
        raise CommandError(f"no shell runs it, so {words[0]!r} sets nothing: write 'env {command}'")
    of_a_shell = [*_BUILT_IN.intersection(words[:1]), *(word for word in words if word in _OF_A_SHELL)]
    if of_a_shell:
        wrapped = shlex.join(["sh", "-c", command])
        raise CommandError(f"no shell runs it, and {of_a_shell[0]!r} is a shell's: write {wrapped}")
    if unset := next(filter(_SHELL_PORT.fullmatch, words), None):
        raise CommandError(f"no shell runs it, so {unset!r} stays as it is: write {{port}}")
    return words


def daphne(spec: str, settings: dict[str, Any]) -> list[str]:
    """
    The words that start daphne with an ASGI app.

    Raises:
        CommandError: for what daphne cannot serve, or has no setting for, and if it is not installed.

    """
    if not spec:
        raise CommandError(
            "daphne runs in a process of its own: name the app with --ws-app module:name or ini ws_app"
        )
    if spec.endswith("()"):
        raise CommandError(f"daphne takes module:name and no factory, not {spec!r}")
    if find_spec("daphne") is None:
        raise CommandError("daphne is not installed: pip install 'pytest-wsstability[daphne]'")
    flags = _daphne_flags() if settings else {}
    words = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", PORT]
    for name, value in settings.items():
        if name not in flags:
            valid = ", ".join(sorted(flags))
            raise CommandError(f"{name} is no setting of daphne (it has {valid})")
        words += [flags[name]] if value is True else [flags[name], str(value)]
    return [*words, spec]


def _daphne_flags() -> dict[str, str]:
    """daphne's flags by Python names, read from its help: to import it would set a reactor."""
    text = subprocess.run(
        [sys.executable, "-m", "daphne", "--help"], capture_output=True, text=True, check=False
    ).stdout
    words = {word.strip("[],") for word in text.split() if word.strip("[],").startswith("--")}
    ours = {"--port", "--bind", "--help", "--unix-socket", "--fd"}
    return {word[2:].replace("-", "_"): word for word in words - ours}


def _is_open(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _has_ended(process: subprocess.Popen[str]) -> bool:
    return _exit_code(process) is not None


if os.name == "posix":

    def _exit_code(process: subprocess.Popen[str]) -> int | None:
        """
        How a process has ended, as `subprocess` numbers it; None while it runs.

        It is not waited for, and keeps its number until it is.

        """
        if process.returncode is not None:
            return process.returncode
        ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def _signal(process: subprocess.Popen[str], number: int) -> None:
        """Send a signal to a process that nobody has waited for, and to its children."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)

else:

    def _exit_code(process: subprocess.Popen[str]) -> int | None:
        """How a process has ended; None while it runs."""
        return process.poll()

    def _signal(process: subprocess.Popen[str], number: int) -> None:
        """End a process: there are no other signals."""
        if process.poll() is None:
            process.kill()
