"""Which names say that a value is a secret, and which values look like words: tables, on both sides."""

from __future__ import annotations

import random
import string
import time

import pytest

from pytest_wsstability.core.secret_names import is_ordinary, is_secret, is_secret_member

ACCESS = (
    "access", "activation", "auth", "authorization", "backup", "confirm", "confirmation", "device",
    "email", "exchange", "mail", "one_time", "phone", "temp", "temporary", "gift", "invite",
    "invitation", "join", "link", "linking", "login", "log_in", "mfa", "oauth", "otp", "pair", "pairing",
    "pin", "qr", "recovery", "reset", "security", "signin", "sign_in", "sms", "totp", "unlock", "user",
    "verify", "verification", "voucher",
)  # fmt: skip
ABOUT = (
    "age", "algorithm", "budget", "count", "dir", "duration", "error", "exception", "expiration", "expiry",
    "file", "format", "index", "kind", "length", "lifetime", "limit", "method", "mode", "ms", "path", "rate",
    "reason", "second", "seconds", "size", "state", "status", "timeout", "total", "ttl", "type", "version",
    "within",
)  # fmt: skip


@pytest.mark.parametrize("word", ACCESS)
def test_a_code_that_lets_somebody_in(word):
    """In snake case, camel case, header fields and written together; not with a word between."""
    camel = word.title().replace("_", "")

    assert is_secret(f"{word}_code")
    assert is_secret(f"{word}Code")
    assert is_secret(f"X-{camel}-Code")
    assert is_secret(f"my{camel}Code")
    assert is_secret(f"{word}_codes")
    assert is_secret(f"{word}code")
    if word not in ("auth", "authorization", "oauth", "otp", "pin"):
        assert not is_secret(f"{word}_error_code")


@pytest.mark.parametrize(
    "name", ["code", "Code", "X-Code", "code_verifier", "codeVerifier", "2faCode", "X-2FA-Code"]
)
def test_a_code_by_itself(name):
    """Whoever names it no further may mean the one that a login asks for; and names with digits."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["primaryKey", "primary_key", "secondaryKey", "routing-key"])
def test_a_key_of_a_table_or_of_a_service(name):
    """What looks random lets somebody in."""
    assert is_secret_member(name, "q9Xw1RkT77LmT0vW3yNbb2Q=")
    assert not is_secret_member(name, "orders_pkey")


@pytest.mark.parametrize(("name", "secret"), [
    ("oauth_state", True), ("authState", True), ("authStatus", False), ("connection_state", False),
])  # fmt: skip
def test_the_state_of_an_authorization(name, secret):
    """RFC 6749, section 10.12: it must not be guessed."""
    assert is_secret(name) is secret


@pytest.mark.parametrize(
    "name",
    [
        "errorCode", "error_code", "X-Error-Code", "statusCode", "closeCode", "exitCode", "countryCode",
        "codes", "languageCode", "currencyCode", "postalCode", "zipCode", "codeName", "code_page", "codec",
        "barcode", "decode",
        # Words that end like one of those.
        "presetCode", "processCode", "multiuserCode", "deviceCodec", "userCodename",
    ],
)  # fmt: skip
def test_a_code_of_something_else(name):
    """Without it nobody would know what went wrong."""
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("harmless", "secret"),
    [
        ("authorName", "authName"),
        ("author", "authority_token"),
        ("authors", "authorization"),
        ("authority", "authorisation"),
        ("authoring", "authorize"),
        ("author", "oauthOrigin"),
        ("author_id", "author_token"),
        ("keyboardLayout", "key_board_key"),
        ("keyframe", "keyboardKey"),
        ("keywords", "keys"),
        ("secretary", "secretaryPassword"),
        ("secretaries", "secrets"),
        ("monkey", "mon_key"),
        ("donkey", "don_key"),
        ("whiskey", "disk_key"),
        ("hotkey", "hot_key"),
        ("keydown", "key_down_token"),
        ("keyup", "keyupload"),
        ("keypoints", "keys"),
        ("tokenizer", "tokenId"),
        ("turkey", "masterkey"),
        ("hockey", "the_key"),
        ("primaryKey", "primaryKeySecret"),
        ("primary_key", "nonprimarykey"),
        ("Foreign-Key", "foreignPrivateKey"),
        ("sortKeys", "sortkeyed"),
        ("publicKey", "publicKeyToken"),
        ("partition_key", "privateKey"),
        ("routingkey", "apiKey"),
        ("keyName", "keyNamespace"),
        ("key_name", "key"),
    ],
)
def test_words_that_hold_the_name_of_a_secret(harmless, secret):
    """Beside one of them the name of a secret is one all the same."""
    assert not is_secret(harmless)
    assert is_secret(secret)


@pytest.mark.parametrize("word", ABOUT)
@pytest.mark.parametrize("secret", ["token", "pass", "user_session"])
def test_what_tells_of_a_secret(word, secret):
    """As the last word of several."""
    assert not is_secret(f"{secret}_{word}")
    assert not is_secret(f"{secret}{word.title()}")
    assert is_secret(f"{word}_{secret}")
    assert is_secret(f"{secret}_{word}_value")


@pytest.mark.parametrize(
    "name",
    [
        "session_state", "Session_State", "passphrase", "passcode", "SESSIONid", "TOKENvalue", "tokencounts",
        "sessionId", "ticketId",
    ],
)  # fmt: skip
def test_names_that_stay_those_of_secrets(name):
    """OpenID Connect's parameter; capitals that are no word; other last words."""
    assert is_secret(name)


def test_a_state_of_a_session():
    """As nobody but OpenID Connect writes it."""
    assert not is_secret("sessionState")


@pytest.mark.parametrize(
    "value",
    [
        # A version behind words.
        "joinRoomV2", "realtimeV1", "chatV12.json", "SUBSCRIBE_V3", "v2.1.0-rc1",
        # Digits behind a word, a year behind several.
        "opus48000", "alloy2025", "anonymous2", "abc123", "linear16", "ArrowLeft77", "newChat2024",
        "newChat1999", "Lobby4711", "MESSAGES42", "GUILDS|MESSAGES4", "SUPPORT-4711",
        # Short words without a vowel among others.
        "parseHtml", "sendMsg", "webSdk/3.2.1", "HttpsProxy", "chatWs", "roomRpc", "audioRtpPort",
        "EveryAnd", "IntoOur", "UnitTest",
        # Telephones, numbers, abbreviations.
        "Pixel8ProMax", "iPhone15ProMax", "iPhone15-Pro", "match-000123", "req-000042-abc", "match-12345",
        "v1.k8s.io", "binary.k8s.io.v5", "i18n.k8s",
        "2024-10-01T00:00:00Z", "2024-10-01T00:00:00.123456Z", "2024-10-01T00:00:00+02:00",
        "2024-10-01 00:00",
        # Days, sizes, what is measured, codecs and digests.
        "claude-3-5-sonnet-20241022", "19000101", "20991231", "20241001T120000Z", "1920x1080", "320x240",
        "btcusdt@depth20@100ms", "48kHz-16bit", "8000Hz", "mono@44khz", "64kbps", "12345ms",
        "g711_ulaw", "h264", "AWS4-HMAC-SHA256", "base64url",
    ],
)  # fmt: skip
def test_what_looks_like_words(value):
    """A reader takes it for words, numbers, versions, dates, or ids of a few digits."""
    assert is_ordinary(value)


@pytest.mark.parametrize(
    "value",
    [
        "joinRoomV123", "joinRoomX2", "VjoinV", "realtimeV123", "opus480000", "ab12345", "newChat3024",
        "newChat1899", "joinRoom123", "Lobby471100", "MESSAGES423", "AB12",
        # No vowel, and none of the short words.
        "parseHtmk", "sendMzg", "webSdkk", "roomRpq", "joinBzRoom", "joinWeRoom", "joinIqRoom", "Bcdfg12Xyz",
        "Pixel8Room", "Pixel800ProMax", "match-0001234", "MATCH-00012", "match-00012-00013",
        "v1.k9s.io", "2024-10-01T000000Z", "1234567Z",
        "18991231", "20240022", "20241322", "20241000", "20241032", "20241001T1200Z", "2024100112",
        "1920x10800", "19x1080", "123456ms", "48kHertz", "48mhz", "gg711", "h2645", "SHB256", "SHA2560",
        "base64uri",
        "hunter2hunter", "aX7hunter2hunter", "zoe42smith",
        "3f2a77aa-9c1e-4b6d-8a55-0f1e2d3c4b5a", "0a1b2c3d4e", "am9lOmh1bnRlcjI=", "k3yAbCdEf123",
    ],
)  # fmt: skip
def test_what_looks_random(value):
    """One more than is ordinary; and UUIDs, hexadecimal, Base64."""
    assert not is_ordinary(value)


SHORT_WORDS = (
    "By", "Id", "ID", "In", "Of", "On", "To", "Cmd", "Css", "Ctrl", "Ctx", "Dns", "Dst", "Fps", "Gps", "Grpc",
    "Html", "Http", "Https", "Jpg", "Llm", "Mcp", "Mqtt", "Msg", "Msgs", "Pdf", "Png", "Ptr", "Rpc", "Rtc",
    "Rtp", "Rtt", "Sdk", "Sdp", "Sms", "Sql", "Src", "Std", "Str", "Stt", "Svg", "Tcp", "Tls", "Ttl", "Tts",
    "Txt", "Vpn", "Ws", "Xml",
)  # fmt: skip


@pytest.mark.parametrize("word", SHORT_WORDS)
def test_short_words_among_others(word):
    """They have no vowel, or two letters; a number between words is none of them."""
    assert is_ordinary(f"join{word}Room")
    assert not is_ordinary(f"join{word}2Room")


@pytest.mark.parametrize("model", ["Pro", "Max", "Plus", "Mini", "Ultra", "Lite"])
def test_models_of_telephones(model):
    """What stands behind the number is a word of few."""
    assert is_ordinary(f"Galaxy24{model}")
    assert not is_ordinary(f"Galaxy24{model}s")


@pytest.mark.parametrize(
    "digits", [string.ascii_letters + string.digits, "0123456789abcdef", "0123456789ABCDEF"]
)
@pytest.mark.parametrize(("length", "one_in"), [(8, 50), (12, 500), (16, 5000), (22, 20_000)])
def test_random_tokens_look_like_words_in_few_cases(digits, length, one_in):
    """Always the same 20,000."""
    chosen = random.Random(length)
    tokens = ("".join(chosen.choices(digits, k=length)) for _ in range(20_000))

    assert sum(map(is_ordinary, tokens)) <= 20_000 / one_in


@pytest.mark.parametrize("text", ["x" * 100_000 + "1x", "a" * 100_000 + "1a", "Xa" * 50_000 + "1a"])
def test_a_long_word_is_looked_at_in_one_go(text):
    """A peer writes one behind the name of a secret: 100,000 letters took more than a minute."""
    before = time.process_time()

    assert not is_ordinary(text)
    assert time.process_time() - before < 2
