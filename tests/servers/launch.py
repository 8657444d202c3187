"""
Start servers that others wrote, each in a process of its own.

``python -m tests.servers.launch`` installs what npm has to install and tells which stacks can run.

"""

from __future__ import annotations

import importlib.util
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
MODULES = {"starlette": ("starlette", "uvicorn"), "aiohttp": ("aiohttp",), "tornado": ("tornado",)}

STACKS = (*MODULES, "node")
"""The servers: uvicorn with starlette, aiohttp, Tornado, and ws on node."""

UP_WITHIN = 20.0
DOWN_WITHIN = 3.0


class TLS(NamedTuple):
    """The files of a server's certificate, and of the authority that a client has to trust."""

    certfile: str
    keyfile: str
    cafile: str


@dataclass(frozen=True)
class ThirdParty:
    """A server that runs."""

    name: str
    port: int
    tls: TLS | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def url(self, path: str) -> str:
        """Return the address of a route."""
        scheme = "wss" if self.tls else "ws"
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def client_context(self) -> ssl.SSLContext | None:
        """Return what a client needs to trust the server; None without TLS."""
        return ssl.create_default_context(cafile=self.tls.cafile) if self.tls else None


def missing(name: str) -> str | None:
    """Return why a stack cannot run here, or None when it can."""
    if name in MODULES:
        absent = [module for module in MODULES[name] if importlib.util.find_spec(module) is None]
        return f"{' and '.join(absent)} not installed" if absent else None
    if name != "node":
        raise ValueError(f"no stack {name!r}; there are {', '.join(STACKS)}")
    if shutil.which("node") is None:
        return "no node on the PATH"
    if not (HERE / "node_modules").is_dir():
        return "no node_modules; python -m tests.servers.launch installs them"
    return None


def install_node(folder: Path = HERE) -> bool:
    """Install a folder's node_modules unless they are there; return whether they are."""
    installed = folder / "node_modules"
    npm = shutil.which("npm")
    if installed.is_dir() or npm is None:
        return installed.is_dir()
    # Installed aside and renamed, so that parallel test runs never see half of it.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".npm-") as aside:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(folder / file, aside)
        subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=aside, stdout=sys.stderr, check=False)
        # Without a result there is nothing to rename; after a parallel run's, no room for it.
        with suppress(OSError):
            (Path(aside) / "node_modules").rename(installed)
    return installed.is_dir()


def make_tls(tmp_path: Path) -> TLS:
    """Write a certificate for localhost and 127.0.0.1, signed by an authority of its own."""
    # Here, so that only tests with TLS wait for the import of cryptography.
    import trustme

    tls = TLS(*(str(tmp_path / file) for file in ("cert.pem", "key.pem", "ca.pem")))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tls.cafile)
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(tls.keyfile)
    for index, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(tls.certfile, append=index > 0)
    return tls


@contextmanager
def start(name: str, *, tls: TLS | None = None) -> Iterator[ThirdParty]:
    """Start a server, and stop it at the end of the block."""
    with running(name, _command(name, tls)) as (process, said):
        yield ThirdParty(name, int(said[0]), tls, process)


@contextmanager
def running(name: str, command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """Run a command that prints READY and more words, its port first; give it, and those words."""
    # Files, not pipes: nobody has to read them for the server to go on.
    with tempfile.TemporaryDirectory() as folder:
        stdout, stderr = Path(folder, "stdout"), Path(folder, "stderr")
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err)
        try:
            yield process, _ready(name, process, stdout, stderr)
        finally:
            _stop(process)
            # Pytest shows it beside a failed test.
            sys.stderr.write(stderr.read_text(errors="replace"))


def _command(name: str, tls: TLS | None) -> list[str]:
    if reason := missing(name):
        raise RuntimeError(f"{name} cannot run here: {reason}")
    if name == "node":
        command = [shutil.which("node") or "node", str(HERE / "node_app.mjs")]
    else:
        command = [sys.executable, str(HERE / f"{name}_app.py")]
    command += ["--port", "0"]
    if tls:
        command += ["--certfile", tls[0], "--keyfile", tls[1]]
    return command


def _ready(name: str, process: subprocess.Popen[bytes], stdout: Path, stderr: Path) -> list[str]:
    """Wait for the line READY, and return the words behind it."""
    outcome = f"was not up within {UP_WITHIN:g} s"
    deadline = time.monotonic() + UP_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            outcome = f"ended with status {process.returncode}"
            break
        said = stdout.read_text(errors="replace")
        if said.startswith("READY ") and said.endswith("\n"):
            return said.splitlines()[0].split()[1:]
        time.sleep(0.02)
    raise RuntimeError(f"{name} {outcome}; its stderr:\n{stderr.read_text(errors='replace') or '(empty)'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process: by the end of its stdin, by SIGTERM, by SIGKILL."""
    assert process.stdin is not None
    process.stdin.close()
    for end in (process.terminate, process.kill):
        with suppress(subprocess.TimeoutExpired):
            process.wait(DOWN_WITHIN)
            return
        end()
    process.wait()


def main() -> int:
    """Install what npm has to, print which stacks can run, and fail unless all can."""
    install_node()
    reasons = {name: missing(name) for name in STACKS}
    for name, reason in reasons.items():
        print(f"{name}: {reason or 'ready'}")
    return int(any(reasons.values()))


if __name__ == "__main__":
    sys.exit(main())
