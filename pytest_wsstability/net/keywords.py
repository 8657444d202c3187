"""The keywords that are handed on to `connect`, for editors and type checkers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from ..core.duration import Duration
from ..profiles import Profile, Resumption
from .target import TLS, Headers


class ConnectKeywords(TypedDict, total=False):
    """The keywords of `connect`, where somebody else calls it."""

    client: Literal["browser", "mute", "stalled", "keepalive"]
    profile: Profile | str
    heartbeat: Duration | Literal[False] | None
    session_id: str | None
    resume: Resumption | None
    headers: Headers
    origin: str | None
    subprotocols: Sequence[str]
    compression: bool
    tls: TLS | None
    max_size: int | None
    inbox: int
    open_timeout: Duration
    address: tuple[str, int] | None
    source: str | None
    redirects: int
    proxy: str | None
    transcript: bool
