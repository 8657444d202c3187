"""Which protocol a server speaks: one connection on which nobody knows it yet."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Unpack

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Likeness
from ..profiles import FRAMES
from ..profiles.catalogue import shipped
from ..profiles.sniffing import FIRST, SUBPROTOCOLS, likeness_of, sniff_messages, sniff_request
from .client import connect
from .errors import ConnectionEnded

if TYPE_CHECKING:
    from .connection import Connection
    from .keywords import ConnectKeywords

# So long a server has for what it says first.
WAIT = 3.0
# Nobody's protocol, offered before all others: servers that take whatever comes first (node's ws, unless it
# is told otherwise) take this one, and say nothing about themselves. A short one: libwebsockets, which is in
# mosquitto, cuts the connection where the names take more than 126 bytes together (measured).
NOBODYS = "nobody"
OFFERED = (NOBODYS, *SUBPROTOCOLS)


async def detect(url: str, **options: Unpack[ConnectKeywords]) -> Likeness:
    """
    The shipped profile that a server speaks, by what it says first, the subprotocol it chooses, and the path.

    Args:
        url: the server.
        options: keywords of `connect`; where no subprotocols are given, all known ones are offered.

    Raises:
        ValueError: if nothing tells.
        OpeningError: if the connection did not open.

    """
    path = url.partition("://")[2].partition("/")[2]
    asked = sniff_request(path, options.get("subprotocols", ()))
    query = {} if asked is None else shipped(asked).query
    options["profile"] = FRAMES.replace(name="auto", subprotocols=OFFERED, query=query)
    connection = await connect(url, **options)
    try:
        first = await _first(connection)
    finally:
        chosen = [] if connection.subprotocol is None else [connection.subprotocol]
        await connection.close()
    name = sniff_messages(first, End.SERVER) or sniff_request("", chosen) or asked
    if name is None:
        said = f"{len(first)} messages" if first else "nothing"
        raise ValueError(
            f"profile: 'auto': {said} came in {WAIT:g} s, no known subprotocol was chosen, and the path "
            "names no protocol; give the profile's name, module:NAME for your own, or frames for ping frames"
        )
    return likeness_of(name)


async def _first(connection: Connection) -> list[str | bytes]:
    """What a server says first."""
    first: list[str | bytes] = []
    with suppress(ConnectionEnded, TimeoutError):
        async with asyncio.timeout(WAIT):
            while len(first) < FIRST and sniff_messages(first, End.SERVER) is None:
                first.append(await connection.recv())
    return first
