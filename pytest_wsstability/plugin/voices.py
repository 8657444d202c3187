"""The spoken conversations of tests: held, judged like a soak, and kept for a person's ears if asked."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING

from ..core.judge.requirement import Requirement
from ..net.voice.holding import hold_call
from .orders import timers_of
from .own_loop import run_private, without_late_threads
from .own_server import own_server
from .plans import has_a_loop, plan_of
from .stash import settings_key, soak_key
from .targets import aimed, hold_options, prepare_opening
from .voice_marks import voice_of

if TYPE_CHECKING:
    import pytest

    from ..net.voice.soak import VoiceSoak
    from .own_server import OwnServer

# Characters of a test's name that a file's name cannot have everywhere.
_NO_NAME = re.compile(r"[^\w.=-]+")
# Bytes of a file's name that file systems take, and characters that are left of a longer one.
_NAME_MAX, _LEFT = 255, 50


def spoken(request: pytest.FixtureRequest, ws_url: str) -> VoiceSoak:
    """What ``ws_voice`` gives."""
    item = request.node
    ws_url = aimed(item, ws_url)
    prepare_opening(request)
    server = own_server(request, ws_url)
    if has_a_loop(item):
        loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
        soak = loop.run_until_complete(_hold(item, server))
    else:
        held = without_late_threads(item, _hold(item, server))
        soak = run_private(held, timers_of(item), patch_time=plan_of(item).patch_time)
    item.stash[soak_key] = soak
    _keep(item, soak)
    return soak


async def _hold(item: pytest.Item, server: OwnServer) -> VoiceSoak:
    plan, asked = plan_of(item), voice_of(item)
    assert asked is not None
    keep_audio = item.config.stash[settings_key].keep_audio is not None
    async with server() as (url, running):
        options = hold_options(item, url)
        # The caller talks.
        del options["traffic"]
        return await hold_call(
            plan.requirement or Requirement(), asked.asked, asked.script, orchestrator=running,
            keep_audio=keep_audio, **options,
        )  # fmt: skip


def _keep(item: pytest.Item, soak: VoiceSoak) -> None:
    """Write the agent's audio where the option says."""
    folder = item.config.stash[settings_key].keep_audio
    if folder is None:
        return
    path = item.config.invocation_params.dir / folder
    # On the machine of a worker nobody has made it.
    path.mkdir(parents=True, exist_ok=True)
    (path / _file_name(item.nodeid)).write_bytes(soak.wav())


def _file_name(nodeid: str) -> str:
    name = _NO_NAME.sub("-", nodeid)
    if len(f"{name}.wav".encode()) > _NAME_MAX:
        # The name of another test may have the same end.
        name = f"{name[-_LEFT:]}-{hashlib.sha256(nodeid.encode()).hexdigest()[:8]}"
    return f"{name}.wav"
