"""Which scenario, on which server, has which cause."""

from __future__ import annotations

from collections.abc import Mapping

from ..play import Scenario
from .gorilla import GORILLA
from .keepalive import (
    AIOHTTP,
    BUN,
    BUN_SILENT,
    DAPHNE,
    DAPHNE_AGED,
    GRANIAN,
    HYPERCORN,
    NODE_WS,
    SANIC,
    UVICORN,
    WEBSOCKETS,
)
from .proxies import CADDY, ENVOY, HAPROXY, NGINX, VARNISH
from .socketio import SOCKET_IO

SCENARIOS: Mapping[str, Mapping[str, Scenario]] = {
    "nginx": NGINX,
    "haproxy": HAPROXY,
    "caddy": CADDY,
    "varnish": VARNISH,
    "envoy": ENVOY,
    "gorilla": GORILLA,
    "uvicorn websockets": UVICORN,
    "uvicorn websockets-sansio": UVICORN,
    "uvicorn wsproto": UVICORN,
    "hypercorn": HYPERCORN,
    "daphne": DAPHNE,
    "daphne, maximum age": DAPHNE_AGED,
    "granian": GRANIAN,
    "sanic": SANIC,
    "aiohttp": AIOHTTP,
    "node ws": NODE_WS,
    "bun": BUN,
    "bun, no pings": BUN_SILENT,
    "socket.io": SOCKET_IO,
    "websockets": WEBSOCKETS,
}
"""By the server's name in `KINDS`, then by its own."""
