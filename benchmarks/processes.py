"""Python processes of the benchmarks: pytest runs, whose cost is measured, and helpers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# What a suite of async tests needs in any case, and the plugin under test.
_BOTH = ("-p", "as_installed", "-p", "pytest_asyncio.plugin")
WITHOUT = (*_BOTH, "-p", "errno")
WITH = (*_BOTH, "-p", "pytest_wsstability.plugin.hooks")

# pytest rewrites the assertions of a package whose entry point it finds, and of no more than a module of -p.
_AS_INSTALLED = 'import pytest\n\npytest.register_assert_rewrite("pytest_wsstability")\n'
_INI = "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n"


class Spent(NamedTuple):
    """What a process took, in seconds."""

    wall: float
    # User and system time together, and the former alone, which neighbours disturb least.
    cpu: float
    user: float
    output: str
    # Resident memory at its largest, in MiB.
    peak: float


@contextmanager
def suite(**files: str) -> Iterator[Path]:
    """A folder with a pytest suite; the keywords are names of modules, the values their source."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pytest.ini").write_text(_INI)
        (folder / "as_installed.py").write_text(_AS_INSTALLED)
        for module, source in files.items():
            (folder / f"{module}.py").write_text(source)
        yield folder


def run_pytest(folder: Path, *arguments: str, expected: int = 0) -> Spent:
    """
    Run pytest in a folder with no other plugins than those named.

    Raises:
        RuntimeError: for another exit code than the expected one, with what pytest printed.

    """
    return _spent(_command(arguments), folder, _environment(), expected)


def instructions(folder: Path, *arguments: str, expected: int = 0) -> int | None:
    """
    Machine instructions of a pytest run: the same whatever else the machine does.

    Returns:
        What Valgrind counts, which makes the run 50 times slower; None where there is no Valgrind.

    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    counter = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command = [*counter, *_command(arguments)]
    output = _spent(command, folder, {**_environment(), "PYTHONHASHSEED": "0"}, expected).output
    found = re.search(r"I\s+refs:\s+([\d,]+)", output)
    if found is None:
        raise RuntimeError(f"Valgrind counted nothing:\n{output}")
    return int(found[1].replace(",", ""))


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def _environment() -> dict[str, str]:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "WS_URL"):
        environment.pop(name, None)
    return environment


def _spent(command: Sequence[str], folder: Path, environment: dict[str, str], expected: int) -> Spent:
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        # The usage of this child alone; what subprocess.run leaves is the sum over all children.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read()
    if process.returncode != expected:
        raise RuntimeError(f"pytest ended with {process.returncode}, not {expected}:\n{printed}")
    # Kilobytes on Linux, bytes on macOS.
    peak = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Spent(wall, usage.ru_utime + usage.ru_stime, usage.ru_utime, printed, peak)


def run_module(name: str, *arguments: str) -> str:
    """What a module of the benchmarks prints, run in a fresh process."""
    return _printed("-m", f"{__package__}.{name}", *arguments)


def run_code(code: str) -> str:
    """What a few lines of Python print, run in a fresh process."""
    return _printed("-c", code)


def _printed(*arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


@contextmanager
def raw_server(name: str = "server", *arguments: str) -> Iterator[str]:
    """The URL of a `server`, or another one of the benchmarks' own, in a process of its own."""
    command = [sys.executable, "-m", f"{__package__}.{name}", *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"ws://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            # Its stdin ends, and so does it.
            process.stdin.close()


def resident() -> int:
    """Bytes of this process that are in memory (Linux)."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def raise_file_limit() -> int:
    """Allow as many open files as the system lets us; how many that are."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    with_hard = hard if hard != resource.RLIM_INFINITY else max(soft, 20_000)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (with_hard, hard))
    except (OSError, ValueError):
        return soft
    return with_hard
