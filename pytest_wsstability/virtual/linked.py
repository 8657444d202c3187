"""A link with faults between the two ends of a connection in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..net.proxy.channel import Channel
    from ..net.proxy.injector import FaultInjector
    from .asyncio_seam import SelectorLoop
    from .connected import ConnectedSocket


class LinkWire:
    """
    What an end has as its wire: it puts what the end sends into a channel.

    The other channel delivers to the end itself, from callbacks of the loop or while the peer sends.

    """

    __slots__ = ("_end", "_loop", "away", "here")

    # The channels that lead away from the end, and to it; `FaultInjector.link` makes them.
    away: Channel
    here: Channel

    def __init__(self, loop: SelectorLoop, end: ConnectedSocket) -> None:
        self._loop = loop
        self._end = end

    # See `Wire`.

    def take(self, data: bytes) -> int:
        """Bytes for the channel, as many as it takes."""
        taken = 0
        # What passes straight through leaves the room as it was, and then nobody tells that there is more.
        while taken < len(data) and (room := self.away.room()):
            self.away.data(data[taken : taken + room])
            taken += room
        return min(taken, len(data))

    def fin(self) -> None:
        """FIN for the channel."""
        self.away.fin()

    def reset(self) -> None:
        """RST for the channel."""
        self.away.reset()

    def acknowledge(self) -> None:
        """The end has read, so that more can be delivered; not now, because it is still reading."""
        if not self.here.is_empty:
            self._loop.call_soon(self.here.pump)

    # See `channel.Sender`.

    def more(self) -> None:
        """There is room in the channel again."""
        self._end.acknowledge()


def link_ends(
    loop: SelectorLoop, injector: FaultInjector, client: ConnectedSocket, server: ConnectedSocket
) -> None:
    """Put a further link between two ends that nothing has been sent over."""
    wires = LinkWire(loop, client), LinkWire(loop, server)
    client.wire, server.wire = wires
    link = injector.link(loop, (wires[0], client), (wires[1], server), client.getsockname())
    wires[0].away = wires[1].here = link.upstream
    wires[0].here = wires[1].away = link.downstream
