"""
A page that speaks: a real browser with a microphone, whose heartbeat has to go on while audio flows.

Needs ``pip install pytest-wsstability[browser]`` and a Chromium (Debian: ``apt-get install chromium``).

"""

import math
import shutil
import wave
from array import array
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from pytest_wsstability import voice

playwright = pytest.importorskip("playwright.async_api", reason="pip install pytest-wsstability[browser]")

PAGE = Path(__file__).with_name("microphone_page.html")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

# A browser has a clock of its own.
pytestmark = [
    pytest.mark.ws_stability(time="real"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]


@pytest.fixture
def speech(tmp_path):
    """A second of a tone and a second of nothing, which the browser's microphone plays for ever."""
    path = tmp_path / "speech.wav"
    tone = [round(12_000 * math.sin(at / 5)) for at in range(16_000)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(array("h", [*tone, *[0] * 16_000]).tobytes())
    return path


@pytest_asyncio.fixture
async def page(speech):
    """An empty page of a headless browser, which may use the microphone without asking anybody."""
    async with playwright.async_playwright() as starter:
        browser = await starter.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                # Chromium refuses to run as root inside its sandbox, as containers do.
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={speech}",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield await browser.new_page()
        await browser.close()


@pytest.mark.ws_orchestrator(
    voice=voice.Pipeline(stt="50ms", ai="50ms", tts="50ms", answer="300ms"), read_deadline="5s",
    ping_interval="1s",
)  # fmt: skip
async def test_a_page_speaks_and_keeps_its_connection(ws_orchestrator, page):
    """Speech goes up, answers are heard, and each heartbeat is answered meanwhile."""
    await page.goto(f"{PAGE.as_uri()}?{urlencode({'url': ws_orchestrator.url, 'heartbeat': 0.5})}")
    session = await ws_orchestrator.wait_for_session("call-1", within="30s")
    await page.wait_for_function("Number(document.getElementById('answers').value) >= 3", timeout=60_000)
    await session.assert_stable(alive_for="6s", session_within="2s", heartbeat_every="500ms")
    session.assert_pings_answered(within="2s")
    await page.evaluate("leave()")
    await session.connection.wait_closed()
    session.assert_closed(code=1000, reason="left the page", by="client")
    record = ws_orchestrator.agent_record(session.connection)
    assert record.malformed == []
    assert len(record.turns) >= 3
    assert float(await page.inner_text("#heard")) >= 0.9
