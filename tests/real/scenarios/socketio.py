"""Socket.IO over Engine.IO 4: the server asks in text, and ends with an empty close frame."""

from __future__ import annotations

from pytest_wsstability.core.diagnosis import Cause

from ..play import Scenario
from ..profiles import ENGINE_IO
from ..traffic import engine_io

PATH = "/socket.io/?EIO=4&transport=websocket"

SOCKET_IO = {
    "answers pings": Scenario(path=PATH, profile=ENGINE_IO, traffic=[engine_io]),
    "never answers": Scenario(path=PATH, profile=ENGINE_IO, causes=[Cause.ENGINE_IO_PING_TIMEOUT]),
}
