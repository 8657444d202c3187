"""Fault proxies of one test, all of them closed in the end: what the ``ws_proxy`` fixture gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...core.asserted import doing
from ...core.duration import show_duration
from ...core.faults import AppliedFault, Fault, Program
from ...core.faults.fault import FaultLabel
from ...core.faults.middleboxes import Middlebox
from .proxy import FaultProxy

if TYPE_CHECKING:
    from ...core.faults.program import ScheduledFault


class MiddleboxProxy(FaultProxy):
    """
    A fault proxy with the timers of a named proxy or load balancer.

    Attributes:
        preset: what is known of the box.

    """

    def __init__(self, url: str, preset: Middlebox) -> None:
        super().__init__(url, faults=preset.faults)
        self.preset = preset

    @property
    def name(self) -> str:
        """The name of the box, such as ``nginx``."""
        return self.preset.name

    def _label(self, fault: Fault) -> FaultLabel:
        if fault not in self.preset.faults:
            return super()._label(fault)
        return FaultLabel(f"{self.name}: {self.preset.describe(fault)}", self.preset.advice(fault))

    def report(self) -> str:
        """Which timer of the box ran out, and what would keep a connection alive."""
        preset = self.preset
        lines = [f"middlebox {preset.name} ({preset.title}): {preset.describe()}"]
        for applied in self.applied:
            lines.append(f"  applied   {preset.name} ended {_ended(preset, applied)}")
        for fault in dict.fromkeys(
            applied.fault for applied in self.applied if applied.fault in preset.faults
        ):
            lines.append(f"  remedy    {preset.advice(fault)}")
        lines.append(f"  known     {preset.tag.value}: {preset.reference}")
        if not preset.end_is_known:
            lines.append("  unknown   how it ends a connection; FIN stands for it")
        return "\n".join(lines + self._failure_lines())


def _ended(preset: Middlebox, applied: AppliedFault) -> str:
    late = f" ({show_duration(applied.lateness)} late)" if applied.lateness else ""
    what = preset.describe(applied.fault) if applied.fault in preset.faults else repr(applied.fault)
    return f"connection {applied.connection} at {show_duration(applied.planned)}{late}: {what}"


class Proxies:
    """Starts fault proxies: ``proxy = await ws_proxy(faults=[...])``, in front of ``ws_url`` or else."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.proxies: list[FaultProxy] = []

    @doing("no proxy was started", name="ws_proxy", on="")
    async def __call__(
        self,
        url: str | None = None,
        *,
        faults: Program | ScheduledFault | Iterable[ScheduledFault] = (),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> FaultProxy:
        """Start a proxy; see `FaultProxy`."""
        proxy = FaultProxy(self._url if url is None else url, faults=faults, host=host, port=port)
        await self.start(proxy)
        return proxy

    async def start(self, proxy: FaultProxy) -> None:
        """Start a proxy that is there already, and close it with the others."""
        await proxy.start()
        self.proxies.append(proxy)

    async def close(self) -> None:
        """Close them all."""
        for proxy in self.proxies:
            await proxy.close()


def behind(proxies: Iterable[FaultProxy], url: str) -> tuple[str, FaultProxy] | None:
    """
    Where a URL really leads, if it is that of a proxy.

    Returns:
        The target's host with the path that was asked for, and the proxy; None for any other URL.

    """
    parts = urlsplit(url)
    for proxy in proxies:
        if (parts.hostname, parts.port) == proxy.address:
            return parts._replace(netloc=urlsplit(proxy.target).netloc).geturl(), proxy
    return None
