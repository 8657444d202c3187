"""What a user gives stands in nothing that leaves, wherever a peer says it again and however it is shown."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote

import pytest

from pytest_wsstability.core.secret_values import SecretValues

# What is given, and where: nine characters each, so that a close reason has room for all of them.
GIVEN = {
    "header option": "hX1oPt8Qz",
    "header of the ini file": "hX2iNi7Wr",
    "header of the mark": "hX3mArk6",
    "header of a fixture": "hX4fIx5Ts",
    "password of the URL": "uX5pWd+Yh",
    "token of the URL": "uX6tOk4Gf",
    "pwd of the URL": "uX7pWd3Ds",
    "parameter of any name": "uX8aNy2Kl",
    "subprotocol": "sX9sUb9Mn",
    "session id": "sX0sEs1Bv",
    "session message": "mX1mSg8Cx",
    "user of the proxy": "pX2uSr7Zq",
    "password of the proxy": "pX3pWd6Lk",
}
PLACES = (
    "JSON body", "lines of a body", "reason phrase", "subprotocol", "redirect", "header", "close reason",
    "message", "stray bytes", "session", "Base64", "percent", "log", "assertion", "bad header", "bad url",
)  # fmt: skip
SOURCE = '''
import asyncio, base64, hashlib, json, logging, os
from urllib.parse import quote, unquote

import pytest
import pytest_asyncio
from pytest_wsstability.profiles import JSON, SESSION_ID

GIVEN = json.loads(os.environ["GIVEN"])
ALL = " ".join(GIVEN.values())
OURS = JSON.replace(
    name="ours",
    error={"type": "error"},
    session_info={"type": "session_info", "session_id": SESSION_ID, "token": GIVEN["session message"]},
)
EVERYTHING = ALL.encode()


def frame(opcode, payload):
    length = (len(payload),) if len(payload) < 126 else (126, *len(payload).to_bytes(2))
    return bytes([0x80 | opcode, *length]) + payload


class Peer(asyncio.Protocol):
    """Says everything again that is secret, in the place that the path names."""

    transports = []

    def connection_made(self, transport):
        self.transport, self.place = transport, None
        self.transports.append(transport)

    def data_received(self, data):
        write = self.transport.write
        if self.place is not None:
            if self.timer is None:
                self.go_on()
            return
        self.place = unquote(data.split(b" ")[1].split(b"/")[1].split(b"?")[0].decode())
        lines = data.split(b"\\r\\n")
        key = next(line.split(b": ")[1] for line in lines if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        opened = (
            b"HTTP/1.1 101 Yes\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
            b"Sec-WebSocket-Accept: " + accept + b"\\r\\n"
        )
        body = {
            "JSON body": json.dumps({"error": ALL, **GIVEN}).encode(),
            "lines of a body": EVERYTHING,
            "Base64": base64.b64encode(b"you said " + EVERYTHING),
            "percent": quote(ALL, safe="").encode(),
        }.get(self.place)
        if body is not None:
            write(b"HTTP/1.1 403 No\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
        elif self.place == "reason phrase":
            write(b"HTTP/1.1 403 " + EVERYTHING + b"\\r\\nContent-Length: 0\\r\\n\\r\\n")
        elif self.place == "redirect":
            to = b"ws://h/?q=" + quote(ALL).encode()
            write(b"HTTP/1.1 302 No\\r\\nLocation: " + to + b"\\r\\nContent-Length: 0\\r\\n\\r\\n")
        elif self.place == "subprotocol":
            write(opened + b"Sec-WebSocket-Protocol: " + EVERYTHING.replace(b" ", b"_") + b"\\r\\n\\r\\n")
        else:
            write(opened + b"Server: " + (EVERYTHING if self.place == "header" else b"x") + b"\\r\\n\\r\\n")
            write(frame(1, b'{"type":"connection_established"}'))
            self.timer = None

    def go_on(self):
        write = self.transport.write
        if self.place == "session":
            confirmed = {"type": "session_confirmed", "session_id": "x" + ALL}
            write(frame(1, json.dumps(confirmed).encode()))
        elif self.place == "message":
            write(frame(1, json.dumps({"type": "error", "message": ALL, "token": "short"}).encode()))
        elif self.place == "stray bytes":
            write(EVERYTHING + b"\\n")
        reason = EVERYTHING[:123] if self.place == "close reason" else b"policy"
        loop = asyncio.get_running_loop()
        self.timer = loop.call_later(1, write, frame(8, (1008).to_bytes(2) + reason))


@pytest_asyncio.fixture
async def peer():
    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 18765)
    yield
    server.close()
    for transport in Peer.transports:
        transport.abort()
    Peer.transports.clear()


@pytest.fixture
def ws_headers():
    return {"X-Fresh": GIVEN["header of a fixture"]}


@pytest.mark.ws_stability(
    alive_for="10s", session_within="5s", no_error_messages=True, handshake=True, time="virtual",
    profile=OURS,
    headers={"Cookie": "theme=dark; sid=" + GIVEN["header of the mark"]},
)
@pytest.mark.parametrize("place", PLACES)
async def test_places(peer, ws_connect, ws_url, place):
    base, question, query = ws_url.partition("?")
    url = base + quote(place) + "?" + query
    headers = None
    if place == "bad header":
        headers = {"X-Bad": "a" + chr(10), "X-Good": GIVEN["header of the mark"]}
    if place == "bad url":
        url = ws_url.replace("18765", "x18765") + "#" + GIVEN["token of the URL"]
    more = {} if headers is None else {"headers": headers}
    connection = await ws_connect(url, session_id=GIVEN["session id"], **more)
    if place == "log":
        logging.getLogger("theirs").warning("opened with %s", ALL)
        print("printed", ALL)
    if place == "assertion":
        assert ALL == connection
    if place == "message":
        await connection.expect("never", within="500ms")
    await connection.assert_stable()


@pytest.mark.ws_stability(alive_for="1s", time="virtual")
@pytest.mark.parametrize(
    "url", ["ws://u:" + GIVEN["password of the URL"] + "@127.0.0.1:1/", "?q=" + GIVEN["header option"]]
)
def test_ids(ws_soak, url):
    pass


class TestErrors:
    @pytest.fixture
    def broken(self):
        raise RuntimeError("cannot log in with " + ALL)

    @pytest.mark.ws_stability(alive_for="1s", time="virtual")
    async def test_fixture(self, ws_connect, broken):
        pass
'''
# pytest itself takes seconds to show this much.
MUCH = (
    ["--full-trace", "-l", "-vv"],
    ["--log-level=DEBUG", "-rA", "--tb=long", "--showlocals"],
    ["--tb=native", "-q", "--setup-show"],
    [
        "--tb=short",
        "-o",
        "log_cli=true",
        "--log-cli-level=DEBUG",
        "--log-file=log.txt",
        "--log-file-level=DEBUG",
    ],
)
OPTIONS = (
    [],
    ["--tb=line", "-vv", "--show-capture=no"],
    *(pytest.param(options, marks=pytest.mark.slow) for options in MUCH),
)
REPORTS = ["r.json", "r.jsonl", "r.md", "r.html", "r.xml"]
WRITTEN = {*REPORTS, "r.har", "j.xml", "summary.md", "terminal", "failure.txt"}


@pytest.fixture
def everywhere(pytester, monkeypatch, ini):
    """Run the module with these options; what left, by where it went."""
    monkeypatch.setenv("GIVEN", json.dumps(GIVEN))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(pytester.path / "summary.md"))
    token, pwd, other = (
        GIVEN[name] for name in ("token of the URL", "pwd of the URL", "parameter of any name")
    )
    user = f"u:{quote(GIVEN['password of the URL'], safe='')}"
    monkeypatch.setenv("WS_URL", f"ws://{user}@127.0.0.1:18765/?token={token}&pwd={pwd}&room={other}")
    ini(f"ws_headers = X-Ini: {GIVEN['header of the ini file']}")
    pytester.makepyfile(SOURCE.replace("PLACES)", f"{PLACES!r})"))

    def run(*options):
        user = f"{GIVEN['user of the proxy']}:{GIVEN['password of the proxy']}"
        result = pytester.runpytest_inprocess(
            "-p", "no:cacheprovider", "-p", "no:randomly", "--ws-save=kept", "--junitxml=j.xml",
            f"--ws-header=Authorization: Bearer {GIVEN['header option']}", "--ws-subprotocol=bearer",
            f"--ws-subprotocol={GIVEN['subprotocol']}", f"--ws-proxy=http://{user}@127.0.0.1:1",
            "--ws-har=r.har", "--ws-har-payloads", "--ws-artifacts=kept", *options,
            *(f"--ws-report={name}" for name in REPORTS),
        )  # fmt: skip
        texts: dict[str, str] = {}
        for path in pytester.path.rglob("*"):
            # Those of several tests have one name.
            if path.is_file() and path.suffix not in (".py", ".ini", ".pyc"):
                texts[path.name] = texts.get(path.name, "") + path.read_text()
        return result, {**texts, "terminal": result.stdout.str() + result.stderr.str()}

    return run


def leaks(texts):
    """Which of the secrets stand where, in any form."""
    found = set()
    for where, text in texts.items():
        # Where HTML lets a browser break lines.
        lowered = text.lower().replace("<wbr>", "")
        for name, value in GIVEN.items():
            encoded = value.encode()
            forms = {value, quote(value, safe=""), encoded.hex(), encoded.hex(" ")}
            # Of its Base64, what does not depend on what stands before and behind.
            forms |= {base64.b64encode(bytes(n) + encoded).decode()[4 if n else 0 : -4] for n in range(3)}
            if any(form.lower() in lowered for form in forms):
                found.add((name, where))
    return found


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_no_secret_leaves(everywhere, options):
    """Of 13 secrets, in 16 places, in no artifact: terminal, log, JUnit, reports, saved runs, annotations."""
    result, texts = everywhere(*options)

    assert result.parseoutcomes() == {"failed": len(PLACES), "errors": 3}
    assert set(texts) >= {*WRITTEN, "timelines.json", "lanes.svg"}
    assert leaks(texts) == set()


def test_each_place_would_leak(everywhere, monkeypatch):
    """Were nothing masked: a check of the test above."""
    monkeypatch.setattr(SecretValues, "mask", lambda self, text, **_: text)

    _, texts = everywhere("-l", "--log-level=DEBUG", "--log-file=log.txt", "--log-file-level=DEBUG")

    found = leaks(texts)
    assert {name for name, _ in found} == set(GIVEN)
    assert {where for _, where in found} >= {*WRITTEN, "log.txt"}
    for place in PLACES:
        section = re.search(
            rf"_+ test_places\[{place}\] _+\n(.*?)(?=\n_+ |\n=+ )", texts["terminal"], re.DOTALL
        )
        assert section is not None
        assert leaks({place: section[1]}), place
