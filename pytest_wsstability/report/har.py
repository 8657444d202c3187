"""Connections as an HTTP Archive (HAR 1.2), with ``_webSocketMessages`` as browsers write them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..core.redact import redact
from ..core.result import Result, Run
from ..core.timeline.events import Direction, EventKind, Opcode

_SIGNS = {Direction.SENT: "send", Direction.RECEIVED: "receive"}


def render(run: Run) -> str:
    """
    The run as HAR: an entry for each hold that opened, by its first end.

    Payloads are there where they were recorded; else each frame has its size, as ``_length``. Instants of
    virtual time are counted on from the real instant of its verdict.

    """
    name, _, version = run.tool.partition(" ")
    entries = [_entry(run, result) for result in run.results if result.timelines]
    log = {"version": "1.2", "creator": {"name": name, "version": version}, "pages": [], "entries": entries}
    return json.dumps(redact({"log": log}), ensure_ascii=True, indent=1) + "\n"


def _entry(run: Run, result: Result) -> dict[str, Any]:
    timeline = result.timelines[0]
    opened = _moment(run, result)
    url = result.url or "ws://unknown.invalid/"
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    return {
        "startedDateTime": opened.isoformat(timespec="milliseconds"),
        "time": round(timeline.duration * 1000, 3),
        "request": {
            "method": "GET",
            "url": url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [],
            "queryString": [{"name": key, "value": value} for key, value in query],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": 101,
            "statusText": "Switching Protocols",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [{"name": key, "value": value} for key, value in timeline.hints or ()],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 0,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 0, "receive": round(timeline.duration * 1000, 3)},
        "comment": f"{result.nodeid}: {result.verdict.headline}",
        "_resourceType": "websocket",
        "_webSocketMessages": list(
            _messages(result, opened) if result.transcript else _frames(result, opened)
        ),
    }


def _moment(run: Run, result: Result) -> datetime:
    return datetime.fromisoformat(run.started) + timedelta(seconds=result.started_at)


def _messages(result: Result, opened: datetime) -> Iterator[dict[str, Any]]:
    for each in result.transcript:
        payload = each.payload
        yield {
            "type": "send" if each.sent else "receive",
            "time": round(opened.timestamp() + each.at, 6),
            "opcode": int(Opcode.TEXT if isinstance(payload, str) else Opcode.BINARY),
            "data": payload if isinstance(payload, str) else base64.b64encode(payload).decode(),
        }


def _frames(result: Result, opened: datetime) -> Iterator[dict[str, Any]]:
    for event in result.timelines[0]:
        if event.kind is EventKind.FRAME:
            yield {
                "type": _SIGNS[event.direction],
                "time": round(opened.timestamp() + event.at, 6),
                "opcode": int(event.opcode),
                "data": "",
                "_length": event.size,
            }
