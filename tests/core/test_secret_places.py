"""Values that stand beside the name of a secret, as software writes them; and what only looks like that."""

from __future__ import annotations

import time

import pytest

from pytest_wsstability.core.redact import redact_source, redact_text

RANDOM = "Zz99aa88bb77"
HEX = "3f2a77aa9c1e4b6d8f0a1b2c3d4e5f60"
# What is looked at from many places of a text.
LONG = (
    '{"token":{' * 4_000,
    '{"token":{"a":"' + '\\"' * 5_000,
    "content-disposition: form-data; name=x " * 1_500,
    "<a " + 'name="x" ' * 4_000,
    '"name":"x","a":"b",' * 2_000,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # Fields of logs, and header fields of any name.
        (f"X-Api-Key: {RANDOM}", "X-Api-Key: ***"),
        (rf"b'X-Api-Key: {RANDOM}\r\nHost: x\r\n'", r"b'X-Api-Key: ***\r\nHost: x\r\n'"),
        (f"sent api_key: '{RANDOM}', then waited", "sent api_key: '***', then waited"),
        (f"{{token:'{RANDOM}'}}", "{token:'***'}"),
        ("Password: hunter2.", "Password: ***."),
        # Members whose names have spaces; and in a structure, numbers and words too where it is called so.
        (f'{{"Api Key": "{RANDOM}", "Client Secret":"{HEX}"}}', '{"Api Key": "***", "Client Secret":"***"}'),
        (
            f'{{"password":{{"type":"plain","value":"{RANDOM}"}}}}',
            '{"password":{"type":"plain","value":"***"}}',
        ),
        ("{'password': {'value': 'hunter', 'min': 8}}", "{'password': {'value': '***', 'min': 8}}"),
        ('{"password":{"value":12345},"pin":{"n":"4821"}}', '{"password":{"value":***},"pin":{"n":"4821"}}'),
        ('{"password":{"value":"12345"},"user":"joe"}', '{"password":{"value":"***"},"user":"joe"}'),
        (
            f'{{"credentials":{{"a":{{"b":["{RANDOM}"]}}}},"id":"{RANDOM}"}}',
            f'{{"credentials":{{"a":{{"b":["***"]}}}},"id":"{RANDOM}"}}',
        ),
        (
            f'{{"token": [{{"raw": "{RANDOM}"}}, {{"raw": "{RANDOM}',
            '{"token": [{"raw": "***"}, {"raw": "***',
        ),
        # The name and the value in members of their own, in either order, and in YAML.
        (
            f'{{"name":"token","type":"a","n":1,"value":"{RANDOM}"}}',
            '{"name":"token","type":"a","n":1,"value":"***"}',
        ),
        (f"{{'value': '{RANDOM}', 'name': 'X-Api-Key'}}", "{'value': '***', 'name': 'X-Api-Key'}"),
        (f"- name: API_TOKEN\n  value: '{RANDOM}'", "- name: API_TOKEN\n  value: '***'"),
        # Fields of forms (RFC 7578), as they are and as `repr` writes them.
        (
            'Content-Disposition: form-data; name="password"\r\n\r\nhunter\r\n--b\r\n',
            'Content-Disposition: form-data; name="password"\r\n\r\n***\r\n--b\r\n',
        ),
        (
            "content-disposition: form-data; filename=a; name=token\nContent-Type: a/b\n\none\ntwo\n--b--",
            "content-disposition: form-data; filename=a; name=token\nContent-Type: a/b\n\n***\n--b--",
        ),
        (
            r'Content-Disposition: form-data; name="pin"\r\n\r\n4821\r\n--b',
            r'Content-Disposition: form-data; name="pin"\r\n\r\n***\r\n--b',
        ),
        # What a page or a file of XML gives by attributes, and behind them.
        (f'<input type="password" value="{RANDOM}">', '<input type="password" value="***">'),
        (f"<meta content='{RANDOM}' name='csrf-token'>", "<meta content='***' name='csrf-token'>"),
        (f'<add key="ApiKey" value="{RANDOM}" />', '<add key="ApiKey" value="***" />'),
        (f'<string name="api_key">{RANDOM}</string>', '<string name="api_key">***</string>'),
        # In other languages.
        (f'{{"senha":"{RANDOM}"}} contraseña={RANDOM}', '{"senha":"***"} contraseña=***'),
        # Credentials amid a line: the word behind the scheme, or all between quotes.
        (f"> Authorization: Token {RANDOM} sent", "> Authorization: Token *** sent"),
        (f"curl -H 'Authorization: Token {RANDOM}' x", "curl -H 'Authorization: Token ***' x"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=b", "Authorization: AWS4-HMAC-SHA256 ***"),
        (f'[f"Authorization: Token {RANDOM}", "X-A: b"]', '[f"Authorization: Token ***", "X-A: b"]'),
        # SASL's PLAIN.
        ("AUTHENTICATE AGpvZQBodW50ZXIy", "AUTHENTICATE ***"),
        ("> AUTH PLAIN AGpvZQBodW50ZXIyMg==", "> AUTH PLAIN ***"),
        (
            "<auth mechanism='PLAIN' xmlns='urn'>AGpvZQBodW50ZXIy</auth>",
            "<auth mechanism='PLAIN' xmlns='urn'>***</auth>",
        ),
        # Cookies one by one; attributes and plain values stay.
        ("Cookie: a=b; session=abc; theme=dark", "Cookie: ***; session=***; theme=dark"),
        (f"Set-Cookie: a=b; q={RANDOM}; Path=/x7; Secure", "Set-Cookie: ***; q=***; Path=/x7; Secure"),
        # Assignments with quotes, and of Ruby.
        ('password="a b c", user=joe', 'password="***", user=joe'),
        ("OPENAI_API_KEY='a b'", "OPENAI_API_KEY='***'"),
        ('{:token=>"abc"}', '{:token=>"***"}'),
        # Pairs, as ASGI and `repr` have header fields.
        (f"[(b'x-api-key', b'{RANDOM}')]", "[(b'x-api-key', b'***')]"),
        (f'[["x-api-key","{RANDOM}"]]', '[["x-api-key","***"]]'),
        # A list, and a map, as Go has header fields.
        (f'{{"X-Api-Key": ["{RANDOM}"]}}', '{"X-Api-Key": ["***"]}'),
        (f"{{'tokens': ['one', '{RANDOM}' , b'{RANDOM}']}}", "{'tokens': ['one', '***' , b'***']}"),
        (f"[\"no 'X-Api-Key': ['{RANDOM}']\"]", "[\"no 'X-Api-Key': ['***']\"]"),
        (f"\"tokens\": [\"no 'X-Api-Key': ['{RANDOM}']\"]", '"tokens": ["***"]'),
        (f"map[Host:[x] X-Api-Key:[{RANDOM}] Via:[y]]", "map[Host:[x] X-Api-Key:[***] Via:[y]]"),
        # Without a space, and with more of them.
        (f"access_token:{RANDOM}, sent", "access_token:***, sent"),
        (f"Passphrase:{RANDOM} session-id:{RANDOM}", "Passphrase:*** session-id:***"),
        ('"tokens": ["w0rldabc"]', '"tokens": ["***"]'),
        (f"{'a' * 60}_sid:{RANDOM}", f"{'a' * 60}_sid:***"),
        (f"aws_secret_access_key = {RANDOM}", "aws_secret_access_key = ***"),
        # What wraps a value: the prefix of a literal, Rust, pydantic; Erlang's binaries, in maps and pairs.
        (f"Config(password=b'{RANDOM}', n=2)", "Config(password=b'***', n=2)"),
        (f'Config {{ token: Some("{RANDOM}") }}', 'Config { token: Some("***") }'),
        (f"{{'token': SecretStr('{RANDOM}')}}", "{'token': SecretStr('***')}"),
        (f'#{{<<"password">> => <<"{RANDOM}">>}}', '#{<<"password">> => <<"***">>}'),
        (f'[{{password,<<"{RANDOM}">>}},{{user,"joe"}}]', '[{password,<<"***">>},{user,"joe"}]'),
        # As PHP prints an array, Go an assignment; forms of Rails and PHP.
        (f"[password] => {RANDOM}", "[password] => ***"),
        (f'["password"]=> string(12) "{RANDOM}"', '["password"]=> string(12) "***"'),
        (f"token := {RANDOM}", "token := ***"),
        ("user[password]=hunter2&user[name]=joe", "user[password]=***&user[name]=joe"),
        # A name with dots; a name and its value in members of their own; options of a command.
        (f"connect.sid: {RANDOM}", "connect.sid: ***"),
        (f'{{"name": "connect.sid", "value": "{RANDOM}"}}', '{"name": "connect.sid", "value": "***"}'),
        (f"serve --access-token {RANDOM} --port 80", "serve --access-token *** --port 80"),
        (f"['serve', '--password', '{RANDOM}']", "['serve', '--password', '***']"),
        # A key without a scheme, and words behind it; names in a sentence that have two words.
        (f"> authorization: a{HEX} was sent", "> authorization: *** was sent"),
        (f"invalid access_token '{RANDOM}'", "invalid access_token '***'"),
        # Subprotocols one by one, as a field, a member and a pair.
        (f"< Sec-WebSocket-Protocol: bearer, {RANDOM}, v1.x", "< Sec-WebSocket-Protocol: bearer, ***, v1.x"),
        (f"{{'sec-websocket-protocol': 'bearer,{RANDOM}'}}", "{'sec-websocket-protocol': 'bearer,***'}"),
        (f"(b'sec-websocket-protocol', b'{RANDOM}')", "(b'sec-websocket-protocol', b'***')"),
        # Elements of XML.
        (f"<token>{RANDOM}</token>", "<token>***</token>"),
        ("<password type='x'>hunter2</password>", "<password type='x'>***</password>"),
        # Command lines.
        ("curl -u joe:hunter2 x", "curl -u joe:*** x"),
        ("curl --user='joe:hunter2' x", "curl --user='joe:***' x"),
        ("wscat --auth joe:hunter2 -c x", "wscat --auth joe:*** -c x"),
        # Numbers that let in.
        ('{"pin": 4711, "otp":123456, "room": 7}', '{"pin": ***, "otp":***, "room": 7}'),
        # Under escapes: JSON in JSON, a URL in a query, HTML.
        (r'{"a": "{\"token\": \"abc\"}"}', r'{"a": "{\"token\": \"***\"}"}'),
        (r"{\\\"token\\\":\\\"abc\\\"}", r"{\\\"token\\\":\\\"***\\\"}"),
        ("/login?next=%2Fws%3Ftoken%3Dabc%26room%3D7", "/login?next=%2Fws%3Ftoken%3D***%26room%3D7"),
        ("next=%252Fws%253Ftoken%253Dabc", "next=%252Fws%253Ftoken%253D***"),
        ("/login?next=/ws?token=abc", "/login?next=/ws?token=***"),
        # Brackets around a URL; the ids of tests are seen more than once.
        ("(see ws://x/?token=abc)", "(see ws://x/?token=***)"),
        ("ws://x/?token=abc: refused, at 5 s", "ws://x/?token=***: refused, at 5 s"),
        ("0 s of 2 s, ws://x/?token=***: last", "0 s of 2 s, ws://x/?token=***: last"),
        ("see ws://x/?token=a:b.c. Then", "see ws://x/?token=***. Then"),
        ("<ws://x/?token=a]b> {ws://x/?token=a)}", "<ws://x/?token=***> {ws://x/?token=***)}"),
        ("t.py::test[ws://x/?token=abc]", "t.py::test[ws://x/?token=***]"),
        ("t.py::test[ws://x/?token=***]", "t.py::test[ws://x/?token=***]"),
        ("t.py::test[ws://x/?token=***1]", "t.py::test[ws://x/?token=***1]"),
        ("t.py::test[ws://x/?token=***-a b-2] - x", "t.py::test[ws://x/?token=***-a b-2] - x"),
        ("ws://x/?token=***1 and ws://x/?token=***-a", "ws://x/?token=*** and ws://x/?token=***"),
        ("&quot;token&quot;: &quot;abc&quot;", "&quot;token&quot;: &quot;***&quot;"),
        # A password that nobody encoded, in the text of a driver.
        ("postgres://joe:p@ss/word@db/x failed", "postgres://***@db/x failed"),
        ("https://x.example/?db=postgres://joe:pw@db/x", "https://x.example/?db=postgres://***@db/x"),
        ("redis://:p/w@cache:6379/0", "redis://***@cache:6379/0"),
        ("wss://joe:pw@x.example/@me and joe@x.example", "wss://***@x.example/@me and joe@x.example"),
        # In the colours of a log, as structlog writes them, and those escaped.
        ("\x1b[36mtoken\x1b[0m=\x1b[35mabc\x1b[0m", "\x1b[36mtoken\x1b[0m=\x1b[35m***\x1b[0m"),
        ("\\x1b[36mtoken\\x1b[0m=abc", "\\x1b[36mtoken\\x1b[0m=***"),
        ("\x1b[1mAuthorization\x1b[0m: Bearer abc.def", "\x1b[1mAuthorization\x1b[0m: Bearer ***"),
    ],
)
def test_beside_its_name(text, shown):
    """Nobody gave it to this run."""
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Incorrect API key provided: {RANDOM}.", "Incorrect API key provided: ***."),
        (f"token {RANDOM} has expired", "token *** has expired"),
        (f"invalid access token '{RANDOM}'", "invalid access token '***'"),
        (f"the secret key of joe is: {RANDOM}", "the secret key of joe is: ***"),
        (f"bad password ({RANDOM})", "bad password (***)"),
        (f"the token is {RANDOM}", "the token is ***"),
        (f"api key -> {RANDOM}", "api key -> ***"),
        (f"your signing key {RANDOM} is over", "your signing key *** is over"),
        (f"no key '{HEX}'", "no key '***'"),
        (f"key {HEX[:-1]} is none", f"key {HEX[:-1]} is none"),
        (f"monkey {HEX} is none", f"monkey {HEX} is none"),
        # Twelve characters, one of them a digit: what is shorter, or a word, may be anything.
        (f"token {RANDOM[:-1]} has expired", f"token {RANDOM[:-1]} has expired"),
        ("token expiration-handling failed", "token expiration-handling failed"),
        # Of something else, further on in the sentence.
        (f"token expired for request {RANDOM}", f"token expired for request {RANDOM}"),
        (f"partition key {RANDOM} is gone", f"partition key {RANDOM} is gone"),
        ("Unexpected token '<', \"<html>2024...\" is not valid JSON",) * 2,
        ("Token expired at 2024-10-01T00:00:00Z",) * 2,
        ("token bucket is empty: 2024-10-01T00:00:00Z",) * 2,
    ],
)
def test_in_a_sentence(text, shown):
    """Directly behind its name, or behind a colon, a quote or a bracket that follows at most three words."""
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        # Counts, durations and flags.
        "max_tokens=4096, tokens_used=12, tokens_per_second=33.5, tokenBudget=9",
        '{"input_tokens": "12", "total_tokens": 120, "tokens": "7"}',
        '{"x-ratelimit-remaining-tokens": "149984", "sessionTtlMs": "5"}',
        "sessions=12, session_duration=12s, session_age=7, token_lifetime=30m, session_timeout_seconds=30",
        "auth_enabled=true is_authenticated=False, token=None, api_key: null",
        "wss://host/ws?max_tokens=4096&auth=true",
        # Subprotocols and elements that are words.
        "Sec-WebSocket-Protocol: graphql-transport-ws, v12.stomp", "<token>expired</token> <key>abc</key>",
        '"tokens": ["the", "quick"], "keys": ["7f3c9d1e2a"]',
        # A user and a group, a module, a URL.
        "docker run -u node:node curlimages/curl x", "python -u server:app", "redis-cli -u redis://cache:6379/0",
        # Tags of images; names of tests.
        "auth-service:1010b93b7d94", "session-manager:build-7f3c9d1e2a", "keycloak:26.0.1-7f3c9d1e",
        "curl -u joe x", "tests/test_token:7", f"token:{RANDOM[:-1]}", f"{'a' * 61}_sid:{RANDOM}",
        "test_x.py::TestToken::test_refresh_2", f"room:{RANDOM}", f"room = {RANDOM}", "token = get_token()",
        "password = self.parsed.password", "raw_key = base64.b64decode(key)",
        "expected_password = users_of_7[username]",
        # Errors of that name, and what they are about.
        "token_endpoint: https://x.example/a1b2c3/token",
        f"KeyError: '{RANDOM}'", f"TokenError: {RANDOM}", f"session_error={RANDOM}", "token_reason=over",
        "invalid token at position 12", "token: expired", "password: required", "auth: basic",
        "Bad password: RabbitMQ closes", "AssertionError: session: closed",
        # Headings; what is asked of a password, or told of a token; fields and tags of another kind.
        '{"Key Takeaways": "we ship v2 on 3/4", "Session Notes": "Q3x7 is done", "Primary Key": "id"}',
        '{"password":{"type":"string","minLength":8},"token":{"type":"jwt","expires":"2026-11-30T13:00:00Z"}}',
        '{"token":{"expires_in":36000,"iat":"1764499780"},"token_details":{"cached":123456,"of":"gpt-4o"}}',
        '{"session":{"model":"gpt-4o-realtime","instructions":"Be nice to x7Qz9."}}',
        '{"name":"room","value":"x7Qz9a1b2c3d"} {"value":"x7Qz9a1b2c3d","name":"room"}',
        'Content-Disposition: form-data; name="room"\r\n\r\nx7Qz9a1b2c3d\r\n--b--',
        'Content-Disposition: attachment; filename="token.txt"\r\n\r\nx7Qz9a1b2c3d',
        '<option name="key" value="enter"> <input name="room" value="x7Qz9a1b2c3d">',
        '<p id="token">is wrong</p>',
        # Codes of errors: a few digits, Prisma's, those of SQL and of Windows.
        '{"code":"60012"} {"code":"P2002"} {"code":"42P01"} {"code":"ERR_60012"} {"code":"0x80070005"}',
        # Those of a table and of a store; a longer hash; pieces of words.
        f"public key: {HEX}", f"foreign key {HEX}", f"primary key ({HEX})", f"cache-key '{HEX}'",
        f"key {HEX}a", '"tokens": ["w0rld", "w0rldab"]',
        # The id of a key, as PyJWT and jwks-rsa say it.
        f'Unable to find a signing key that matches: "{RANDOM}"',
        f"Unable to find a signing key that matches '{RANDOM}'",
        # Words that hold another.
        "donkey=1 whiskey=2 keystroke=3 hotkey=4 keypoints=5 keydown=a tokenizer=cl100k tokenized=x keypad=7",
        # Names and dots, and no values; what begins with a bracket has them inside.
        "add ?token=... to the URL", "ws://host/ws?token=…&room=7", "token=..., password=…",
        "session_info={'type': 'start'}, token=[\"a\"], auth=({'id': 7}", "token={",
        "a token (--header 'Authorization: ...'), a cookie", "--ws-header 'Authorization: Bearer …'",
        "Authorization: Bearer $TOKEN", "-H \"Authorization: Bearer ${TOKEN}\"",
        "x = 1 # basic re-exports, a basic end-to-end test", "x = 1\nHTTP basic\nTest12 and bearer\ntest_7",
        "Authorization: Bearer <token>", "AUTHENTICATE EXTERNAL", "AUTH PLAIN required",
        "AUTHENTICATE SCRAM-SHA-256",
        "<auth mechanism='SCRAM-SHA-1'>biwsbj1qdWxpZXQ</auth>",
        '["session", "closed"]', '("token", "expired")', '{"code": 4401, "code_2": 7}',
        # What is in brackets, a set, a call, what is not random behind an option.
        "metadata[key]=value, [code=1006], [session=x]", '{"GeoHash", "IsValid"}', 'get("token")',
        "--token-type bearer --session-within 5s", '{"name": "token", "value": "bearer"}',
        "'token': challenge.get('token'), key=Some('x')", "metadata.key => 7, token => nil",
        # What was measured; a file.
        "time to first token: 0.4523871898651123 s", "first_token=0.4523871898651123",
        "Turn(first_token=4.523871898e-05, token_age=1)", "--token-file /var/run/secrets/k8s2/token.json",
        # What a server asks for.
        'WWW-Authenticate: Bearer realm="x", error="invalid_token"', '{"www-authenticate": "Negotiate"}',
        # Too short for a PIN, and what is none of it: pins of a board, amounts, what is empty.
        '{"pin": 130, "pwd": 4711.5, "password": 47e10}', 'password="" token=\'\' {"api_key": ""}',
        "file:///app/node_modules/@types/x.js", "http://web/react@18.2.0", "https://x/y?mail=joe@example.com",
        "git@example.com:x/y and https://x.example/@joe and http://localhost:8000/@joe",
    ],
)  # fmt: skip
def test_what_tells_of_a_secret_and_is_none(text):
    """Without it nobody could read the failure."""
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "tokens=abc",
        "max_token=4096",
        "session_id=7",
        "pin=4711",
        "pin=4711m",
        "db_pwd=12h",
        "token=12345678",
        "pin=4711.123456789",
        "password=(hunter2",
        "password=[{x",
        "password=...x",
        "?token=…x",
        "password={...x",
    ],
)
def test_other_values_beside_such_names_are_hidden(text):
    """A count has a plural, and is a number."""
    assert redact_text(text) == f"{text.partition('=')[0]}=***"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        # A test's own code, and its numbers; from a peer, in a difference and in an exception.
        ("def get(token: OAuth2AccessToken):", "def get(token: OAuth2AccessToken):"),
        ("secret = x25519_private_key", "secret = x25519_private_key"),
        ("hasher(password=Argon2PasswordHasherV2.hash)", "hasher(password=Argon2PasswordHasherV2.hash)"),
        ("{'first_token': 0.4523871898651123}", "{'first_token': 0.4523871898651123}"),
        ("token_issued_ns = 1764499780123456789", "token_issued_ns = 1764499780123456789"),
        ("{'token': 'OAuth2AccessToken12x'}", "{'token': '***'}"),
        ("token = aB3dE5fG7hJ9", "token = ***"),
        ("password: 123456789012", "password: ***"),
    ],
)
def test_amid_the_source_of_a_test(source, shown):
    """What stands there without quotes may be a number, or a name in the program."""
    assert redact_source(source) == shown


def test_over_lines():
    """As rich shows a log: what goes on in the next line is hidden with the rest."""
    first, second = "/ws?token=aB3dE5fG7hJ9kL2mN4pQ6rS8tU1", "vW3xY5zA7bC9dE2fG4hJ6kL8mN1pQ3rS5tU7v"
    log = f"INFO     GET {' ' * 60}\n         {first}  \n         {second} \n         refused: no such user"

    shown = f"INFO     GET {' ' * 60}\n         /ws?token=*** \n         refused: no such user"
    assert redact_text(log) == shown


@pytest.mark.slow
def test_text_of_a_peer_is_looked_at_once():
    """However it is made: a quotation that never ends, fields in fields, URLs in URLs."""
    for piece in (
        '"a":"',
        "a=",
        "?a=",
        "://",
        "\n ",
        "cookie: a; ",
        "set-cookie: a;b=",
        "; a=b",
        "token ",
        '\\"',
        "eyJ-",
        "a: ",
        "'a':['a',",
        "'a':['a':['",
        "curl -u a:",
        "token:",
        "<a",
        "<a>a</",
        "-u a:",
        "-u a",
        "a = ",
        "a:aaaaaaaaaaaa",
        "sec-websocket-protocol:a,",
        "-----BEGIN ",
        "re_",
        "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW3xY5zA7bC9\n",
    ):
        text = piece * (100_000 // len(piece))
        assert len(redact_text(text)) <= 2 * len(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"_",".' * 5_000, "--Z." * 10_000, f"a[{'%' * 40_000}: =", "a[b" * 12_000, "?token=***-" * 10_000,
        *LONG,
    ],
)  # fmt: skip
def test_a_long_text_is_looked_at_in_one_go(text):
    """A peer may write anything; in steps that grow with its square these take from 3 s to a minute."""
    before = time.process_time()

    redact_text(text)

    assert time.process_time() - before < 2
