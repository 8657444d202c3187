"""
JSON-RPC 2.0: questions with ids, and a method that proves that the peer lives.

Client: ``{"method":"ping"}`` with an id. Server: the result with the same id; an error ("method not found")
proves as much. With a session, as LSP and MCP have it: ``jsonrpc(initialize={...})`` sends ``initialize``
first. Another method than ``ping``: ``jsonrpc(ping="system.health")``.

"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .placeholders import ID
from .profile import Profile
from .templates import Free

_REFUSED = {"code": -32600, "message": "refused"}


def jsonrpc(
    *, ping: str = "ping", initialize: Mapping[str, Any] | None = None, name: str = "jsonrpc"
) -> Profile:
    """
    JSON-RPC 2.0 for one server.

    Args:
        ping: the method that the client calls now and then.
        initialize: the parameters of ``initialize``, with which the session begins; None: there is none.
        name: of the profile.

    """
    result = {"jsonrpc": "2.0", "id": ID, "result": Free({})}
    error = {"jsonrpc": "2.0", "id": ID, "error": Free(_REFUSED)}
    begins = initialize is not None
    return Profile(
        name=name,
        title="JSON-RPC 2.0",
        specification="https://www.jsonrpc.org/specification",
        session_info={"jsonrpc": "2.0", "id": ID, "method": "initialize", "params": Free(initialize)}
        if begins
        else None,
        session_confirmed=result if begins else None,
        session_refused=error if begins else None,
        ping={"jsonrpc": "2.0", "id": ID, "method": ping},
        pong=result if begins else (result, error),
        match_ids=True,
        # An answer to what nobody could read has no id.
        error={"jsonrpc": "2.0", "id": None, "error": Free({"code": -32700, "message": "parse error"})},
        proved_with=("jsonrpcserver 5.0 (server)",),
    )


JSONRPC = jsonrpc()
