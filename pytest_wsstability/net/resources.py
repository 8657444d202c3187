"""
Descriptors, ports and memory: what a run needs of this process and machine, and what is left.

A connection that does not open for want of one of them says nothing about a server, and is told as this end's
own trouble; see `shortage_of`. Better is to know before the run: see `missing`.

"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..core.judge.verdict import Reason

try:
    import resource
except ImportError:  # pragma: no cover
    # Windows has no such limits.
    resource = None  # type: ignore[assignment]

# Descriptors beside those of the connections: the loop's own, logs, a resolver.
SPARE = 20
# For each connection: 12 KiB that one keeps (`python -m benchmarks fleet_real`), and the kernel's buffers.
BYTES_EACH = 64 * 1024
# Both ends of one in virtual time, which have no kernel behind them (`python -m benchmarks fleet`).
BYTES_OF_PAIR = 18 * 1024
# A worker process that has loaded the package, without what it shares with others (24.1 MiB on Linux), and
# the two pipes to it.
BYTES_OF_WORKER, PIPES_OF_WORKER = 24 * 2**20, 2
_FDS = Path("/proc/self/fd")
_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_MEMORY = Path("/proc/meminfo")
# Of a container (cgroup v2): its limit, "max" for none, and what it has taken of it.
_LIMIT, _TAKEN = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")

# connect(2), socket(2): no descriptor in the process, in the system; no port; no memory.
_ERRNOS = {
    errno.EMFILE: Reason.DESCRIPTORS,
    errno.ENFILE: Reason.DESCRIPTORS,
    errno.EADDRNOTAVAIL: Reason.PORTS,
    errno.EADDRINUSE: Reason.PORTS,
    errno.ENOMEM: Reason.MEMORY,
    errno.ENOBUFS: Reason.MEMORY,
}
# getaddrinfo(3): a temporary failure, and no memory.
_RESOLVER = {socket.EAI_AGAIN: Reason.RESOLVER, socket.EAI_MEMORY: Reason.MEMORY}


def shortage_of(error: BaseException) -> Reason | None:
    """What this process lacked when an opening failed; None where it was not for that."""
    if isinstance(error, socket.gaierror):
        return _RESOLVER.get(error.errno) if error.errno is not None else None
    if not isinstance(error, OSError) or error.errno is None:
        return None
    return _ERRNOS.get(error.errno)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a number of connections that are open together need."""

    connections: int
    # Descriptors beside one for each: of proxies, or of the server, if those are in this process too.
    beside: int = 0
    # The most that go to one host and port: each has a local port of its own.
    to_one_target: int = 0
    # From so many addresses of this machine, each of which has its own ports.
    sources: int = 1
    # Worker processes that this one starts.
    workers: int = 0

    @property
    def descriptors(self) -> int:
        """Descriptors that are to be opened."""
        return self.connections + self.beside + self.workers * PIPES_OF_WORKER + SPARE

    @property
    def memory(self) -> int:
        """Bytes."""
        return self.connections * BYTES_EACH + self.workers * BYTES_OF_WORKER


@dataclass(frozen=True, slots=True, kw_only=True)
class Available:
    """What there is; None where nobody can tell."""

    descriptors: int | None = None
    ports: int | None = None
    memory: int | None = None


def look() -> Available:
    """What is left in this process and on its machine."""
    return Available(descriptors=_descriptors(), ports=_ports(), memory=_memory())


def missing(needs: Needs, left: Available, *, what: str = "connections") -> str | None:
    """
    What there is too little of, in a sentence with both numbers and what helps; None if nothing.

    Args:
        needs: of all of them.
        left: what there is.
        what: what they are called, in the plural.

    """
    numbers = [f"{needs.connections:,} {what}"] if needs.connections else []
    numbers += [f"{needs.workers:,} workers"] if needs.workers else []
    many = f"{' by '.join(numbers)} need about"
    fewer = "hold fewer at once" if needs.connections else "start fewer"
    if left.descriptors is not None and left.descriptors < needs.descriptors:
        return (
            f"{many} {needs.descriptors:,} descriptors; {left.descriptors:,} are left: raise the limit "
            f"(ulimit -n), or {fewer}"
        )
    if left.ports is not None and left.ports * needs.sources < needs.to_one_target:
        several = f" for each of {needs.sources} source addresses" if needs.sources > 1 else ""
        return (
            f"{needs.to_one_target:,} {what} to one address need as many local ports; there are "
            f"{left.ports:,}{several}: use several source addresses, widen net.ipv4.ip_local_port_range, or "
            "hold fewer at once"
        )
    if left.memory is not None and left.memory < needs.memory:
        return (
            f"{many} {needs.memory / 2**20:,.0f} MiB of memory; {left.memory / 2**20:,.0f} are left: hold "
            "fewer at once, or spread them over machines"
        )
    return None


def not_ours(sources: Iterable[str]) -> str | None:
    """Which of these addresses nothing can be opened from on this machine, in a sentence; None if of all."""
    for source in sources:
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        with socket.socket(family) as tried:
            try:
                tried.bind((source, 0))
            except OSError as error:
                return f"sources: {source}: {os.strerror(error.errno or 0)}; give addresses of this machine"
    return None


def claim(needs: Needs, *, what: str = "connections") -> str | None:
    """
    Let this process have what connections need, as far as it may: its own soft limits are raised.

    Returns:
        What there is too little of all the same, in a sentence; None if nothing.

    """
    left = look()
    if left.descriptors is not None and left.descriptors < needs.descriptors:
        _raise_limit(needs.descriptors - left.descriptors)
        left = look()
    return missing(needs, left, what=what)


def carries() -> int | None:
    """How many connections this process may open, its limits raised as far as they go; None: any number."""
    if resource is None:  # pragma: no cover
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    left = _descriptors()
    if left is None or hard == resource.RLIM_INFINITY:
        return None
    return max(0, hard - (soft - left) - SPARE)


def _descriptors() -> int | None:
    if resource is None:  # pragma: no cover
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    used = None
    for place in (_FDS, Path("/dev/fd")):
        with suppress(OSError):
            # One of them is that of the listing.
            used = len(os.listdir(place)) - 1
            break
    return None if used is None else max(0, soft - used)


def _raise_limit(by: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = soft + by if hard == resource.RLIM_INFINITY else min(soft + by, hard)
    # Systems have limits of their own above the hard one.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _ports() -> int | None:
    with suppress(OSError, ValueError):
        first, last = map(int, _PORTS.read_text().split())
        return last - first + 1
    return None


def _memory() -> int | None:
    """Bytes that are available on the machine, or in the container that has a limit."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = _MEMORY.read_text().splitlines()
        found.append(next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")))
    with suppress(OSError, ValueError):
        found.append(max(0, int(_LIMIT.read_text()) - int(_TAKEN.read_text())))
    return min(found, default=None)
