"""A link with faults between the two ends of a connection in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..net.proxy.lane import Lane
    from ..net.proxy.links import Links
    from .clock import ClockLoop
    from .endpoint import Endpoint


class Port:
    """
    What an end has as its wire: it puts what the end sends into a lane.

    The other lane delivers to the end itself, from callbacks of the loop or while the peer sends.

    """

    __slots__ = ("_endpoint", "_loop", "away", "here")

    # The lanes that lead away from the end, and to it; `Links.new` makes them.
    away: Lane
    here: Lane

    def __init__(self, loop: ClockLoop, endpoint: Endpoint) -> None:
        self._loop = loop
        self._endpoint = endpoint

    # See `Wire`.

    def room(self) -> int:
        """What the lane takes."""
        return self.away.room()

    def data(self, data: bytes) -> None:
        """Bytes for the lane."""
        self.away.data(data)

    def fin(self) -> None:
        """FIN for the lane."""
        self.away.fin()

    def reset(self) -> None:
        """RST for the lane."""
        self.away.reset()

    def acknowledge(self) -> None:
        """The end has read, so that more can be delivered; not now, because it is still reading."""
        if not self.here.is_empty:
            self._loop.call_soon(self.here.pump)

    # See `lane.Source`.

    def more(self) -> None:
        """There is room in the lane again."""
        self._endpoint.acknowledge()


def link_ends(loop: ClockLoop, links: Links, client: Endpoint, server: Endpoint) -> None:
    """Put a further link between two ends that nothing has been sent over."""
    ports = Port(loop, client), Port(loop, server)
    client.wire, server.wire = ports
    link = links.new(loop, (ports[0], client), (ports[1], server), client.getsockname())
    ports[0].away = ports[1].here = link.upstream
    ports[0].here = ports[1].away = link.downstream
