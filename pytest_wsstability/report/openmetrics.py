"""The state of a fleet for Prometheus, in OpenMetrics text over HTTP while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..core.fleet.frame import RTT_LIMITS, Fate
from .extras import MissingExtra

if TYPE_CHECKING:
    from ..core.fleet.merge import FleetMerge

_PREFIX = "wsstability_fleet"


def parse_address(text: str) -> tuple[str, int]:
    """
    Host and port of ``127.0.0.1:9464``.

    Raises:
        ValueError: for anything else, naming it.

    """
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"metrics: {text!r} is no address; give HOST:PORT, such as 127.0.0.1:9464")
    return host.strip("[]"), int(port)


@contextmanager
def serve(address: tuple[str, int], merge: FleetMerge) -> Iterator[int]:
    """
    Serve what is known of a fleet at ``/metrics`` while a block runs; gives the port.

    Raises:
        MissingExtra: without prometheus-client, naming the extra.
        ValueError: if nobody can listen there.

    """
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError:
        raise MissingExtra(
            "metrics need prometheus-client: pip install 'pytest-wsstability[metrics]'"
        ) from None
    registry = CollectorRegistry()
    registry.register(_Collector(merge))
    host, port = address
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise ValueError(f"metrics: {host}:{port}: {error}") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Collector:
    """Reads the merged state at each scrape: nothing is counted twice, and nothing is kept."""

    def __init__(self, merge: FleetMerge) -> None:
        self._merge = merge

    def collect(self) -> Iterator[Any]:
        """The families of a scrape."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        merge, count = self._merge, self._merge.count
        yield GaugeMetricFamily(f"{_PREFIX}_planned", "Connections of the plan", value=count.planned)
        fates = GaugeMetricFamily(f"{_PREFIX}_connections", "What became of them so far", labels=["fate"])
        for fate in Fate:
            fates.add_metric([fate.value], getattr(count, fate.value))
        fates.add_metric(["open"], max(0, merge.held))
        yield fates
        causes = GaugeMetricFamily(f"{_PREFIX}_ended", "Connections that ended, by cause", labels=["cause"])
        for cause, number in merge.causes.items():
            causes.add_metric([cause], number)
        yield causes
        yield CounterMetricFamily(f"{_PREFIX}_opened", "Connections that opened", value=merge.opened)
        sent, answered = merge.heartbeats_sent, merge.heartbeats_answered
        yield CounterMetricFamily(f"{_PREFIX}_heartbeats_sent", "Heartbeats sent", value=sent)
        yield CounterMetricFamily(f"{_PREFIX}_heartbeats_answered", "Heartbeats answered", value=answered)
        yield CounterMetricFamily(
            f"{_PREFIX}_messages", "Application messages received", value=merge.messages
        )
        lag = "The worst lag of a worker's event loop"
        yield GaugeMetricFamily(f"{_PREFIX}_lag_seconds", lag, value=merge.lag)
        yield HistogramMetricFamily(
            f"{_PREFIX}_rtt_seconds",
            "Round trips of the heartbeats of some connections of each worker",
            buckets=_cumulative(merge.rtt_counts),
            sum_value=None,
        )


def _cumulative(counts: list[int]) -> list[tuple[str, float]]:
    limits = [*map(str, RTT_LIMITS), "+Inf"]
    return [(limit, float(sum(counts[: place + 1]))) for place, limit in enumerate(limits)]
