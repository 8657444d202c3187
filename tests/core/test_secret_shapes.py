"""Keys and tokens that show themselves, in whatever sentence, and what looks like them and is none."""

from __future__ import annotations

import base64
import json
import os
import time
from urllib.parse import quote

import pytest

from pytest_wsstability.core.redact import redact_source, redact_text, redact_url
from pytest_wsstability.core.secret_shapes import issued

# Letters and digits as a generator gives them; in parts, so that no scanner takes these for keys of somebody.
_LETTERS = "aB3dE5fG7hJ9kL2mN4pQ6rS8tU1vW3xY5zA7bC9dE2fG4h"
_CAPITALS = "AB3DE5FG7HJ2KL4M"
_HEX = "3f2a77aa9c1e4b6d8f0a1b2c3d4e5f60"
_UUID = "550e8400-e29b-41d4-a716-446655440000"

KEYS = {
    "OpenAI": ("sk-proj-", _LETTERS),
    "OpenAI, cut short": ("sk-proj-", "aB3dE5fG7h"),
    "OpenAI, old": ("sk-", _LETTERS),
    "OpenAI, of a browser": ("ek_", _LETTERS),
    "Anthropic": ("sk-ant-api03-", f"{_LETTERS}-{_LETTERS}AA"),
    "ElevenLabs": ("sk_", _HEX + _HEX),
    "Stripe": ("sk_live_", _LETTERS),
    "Stripe, restricted": ("rk_test_", _LETTERS),
    "a webhook": ("whsec_", _LETTERS),
    "GitHub": ("ghp_", _LETTERS),
    "GitHub, fine-grained": ("github_pat_", f"{_LETTERS}_{_LETTERS}"),
    "GitLab": ("glpat-", _LETTERS),
    "npm": ("npm_", _LETTERS),
    "PyPI": ("pypi-", f"AgEIcHlwaS5vcmc{_LETTERS}"),
    "Slack": ("xoxb-", f"123456789012-1234567890123-{_LETTERS}"),
    "Slack, of an app": ("xapp-", f"1-A0123456789-1234567890123-{_HEX}"),
    "a webhook of Slack": ("hooks.slack.com/services/", f"T0123456/B0123456/{_LETTERS}"),
    "Telegram": ("1234567890:AA", _LETTERS),
    "Discord": ("MTIzNDU2Nzg5", f"MDEyMzQ1Njc4.{_LETTERS[:6]}.{_LETTERS[:30]}"),
    "AWS": ("AKIA", _CAPITALS),
    "AWS, for a while": ("ASIA", _CAPITALS),
    "Google": ("AIza", _LETTERS[:35]),
    "Google, OAuth": ("ya29.", _LETTERS),
    "Twilio": ("SK", _HEX),
    "Twilio, account": ("AC", _HEX),
    "SendGrid": ("SG.", f"{_LETTERS[:22]}.{_LETTERS}"),
    "Mailgun": ("key-", _HEX),
    "Hugging Face": ("hf_", _LETTERS),
    "Hugging Face, letters alone": ("hf_", "XXceRMIqFFEiwuLZXCxnbbyqtUBDmbqhAZ"),
    "Hugging Face, of an organization": ("api_org_", "JjUPMVNPsZYiNLxBzWARsTUxDVLzlqKiVn"),
    "Groq": ("gsk_", _LETTERS),
    "xAI": ("xai-", _LETTERS),
    "Databricks": ("dapi", _HEX),
    "Vault": ("hvs.", _LETTERS),
    "DigitalOcean": ("dop_v1_", _HEX),
    "Shopify": ("shpat_", _HEX),
    "Twitch": ("oauth:", _HEX[:30]),
    "Nostr": ("nsec1", ("2q3w4e5r6t7y8u9" * 4)[:58]),
    "NATS": ("SU", (_CAPITALS * 4)[:56].replace("9", "7")),
    "1Password, secret key": ("A3-", f"{_CAPITALS[:6]}-{_CAPITALS[:11]}{f'-{_CAPITALS[:5]}' * 3}"),
    "Adobe": ("p8e-", _HEX),
    "Artifactory": ("AKCp", (_LETTERS * 2)[:69]),
    "Artifactory, reference": ("cmVmd", (_LETTERS * 2)[:59]),
    "ClickHouse": ("4b1d", _LETTERS[:38]),
    "Clojars": ("CLOJARS_", (_HEX * 2)[:60]),
    "Flutterwave": ("FLWSECK_TEST-", f"{_HEX}-X"),
    "Frame.io": ("fio-u-", _HEX * 2),
    "Harness": ("pat.", f"{_LETTERS[:22]}.{_LETTERS[:24]}.{_LETTERS[:20]}"),
    "Infracost": ("ico-", _LETTERS[:32]),
    "MaxMind": (_LETTERS[:6], f"_{_LETTERS[:29]}_mmk"),
    "Octopus Deploy": ("API-", (_CAPITALS * 2)[:26]),
    "ReadMe": ("rdme_", (_HEX * 3)[:70]),
    "Scalingo": ("tk-us-", (_LETTERS * 2)[:48]),
    "SettleMint": ("sm_aat_", _LETTERS[:16]),
    "GitLab, runners": ("GR1348941", _LETTERS[:20]),
    "a webhook of Teams": ("webhook.office.com/webhookb2/", f"{_UUID}@{_UUID}/IncomingWebhook/{_HEX}"),
    "PASETO": ("v4.local.", _LETTERS),
    "PASETO, signed": ("v2.public.", f"{_LETTERS}.{_LETTERS}"),
    "PASETO's key": ("k4.secret.", _LETTERS),
    "Fernet": ("gAAAAAB", f"{_LETTERS}{_LETTERS}=="),
    "Google, newer": ("AQ.Ab8", _LETTERS),
    "a session of AWS": ("IQoJb3JpZ2lu", f"{_LETTERS}/{_LETTERS}+aB=="),
    "Bedrock": ("ABSK", f"{_LETTERS}{_LETTERS}="),
    "Azure": (f"{_LETTERS}aB3dE5", f"JQQJ9{_LETTERS[:27]}"),
    "Azure, storage": (f"{_LETTERS}{_LETTERS[:30]}", "+ASt9bC7dE=="),
    "Azure, an application": ("aB3", f"8Q~{_LETTERS[:34]}"),
    "Ably": ("aB3dE5.fG7hJ9:", _LETTERS[:43]),
    "PubNub": ("sec-c-", _LETTERS),
    "Retell": ("key_", _HEX[:28]),
    "Cloudflare": ("v1.0-", f"{_HEX[:24]}-{_HEX}{_HEX}"),
    "PayPal": ("access_token$", f"production${_LETTERS[:16]}${_HEX}"),
    "CircleCI": ("CCIPAT_", f"{_LETTERS[:22]}_{_HEX}"),
    "Terraform": ("aB3dE5fG7hJ9kL.atlasv1.", f"{_LETTERS}{_LETTERS}"),
    "OpenShift": ("sha256~", _LETTERS[:43]),
    "Doppler, of a service": ("dp.st.", f"prd.{_LETTERS}"),
    "Pinecone": ("pcsk_", f"aB3dE5_{_LETTERS}"),
    "E2B": ("e2b_", f"{_HEX}{_HEX[:8]}"),
    "Kubernetes": ("base64url.bearer.authorization.k8s.io.", _LETTERS),
    "AWS AppSync": ("da2-", "a7b2c9d4e1f6g3h8i5j0k7l2m9"),
    "Adafruit": ("aio_", _LETTERS[:28]),
    "Agora": ("007eJx", _LETTERS),
    "Telnyx": ("KEY", f"{_HEX.upper()}_{_LETTERS[:22]}"),
    "a webhook of Discord": ("discord.com/api/webhooks/", f"123456789012345678/{_LETTERS}"),
    "Atlassian": ("ATATT3", _LETTERS),
    "Bitbucket": ("ATBB", _LETTERS[:28]),
    "Airtable": ("pat", f"{_LETTERS[:14]}.{_HEX}{_HEX}"),
    "Figma": ("figd_", _LETTERS),
    "HubSpot": ("pat-", f"na1-{_UUID}"),
    "LaunchDarkly": ("sdk-", _UUID),
    "Plaid": ("access-", f"sandbox-{_UUID}"),
    "Postman": ("PMAK-", f"{_HEX[:24]}-{_HEX}11"),
    "PostHog": ("phx_", _LETTERS),
    "New Relic": ("NRAK-", f"{_CAPITALS}{_CAPITALS[:11]}"),
    "Sentry": ("sntrys_", _LETTERS),
    "Grafana": ("glsa_", f"{_LETTERS[:32]}_3f2a77aa"),
    "Dynatrace": ("dt0c01.", f"{(_CAPITALS * 2)[:24]}.{_CAPITALS * 4}"),
    "Vercel": ("vcp_", _LETTERS),
    "Netlify": ("nfp_", _LETTERS),
    "Fly": ("fm2_", _LETTERS),
    "Heroku": ("HRKU-", f"AA{_LETTERS}"),
    "Doppler": ("dp.", f"pt.{_LETTERS}"),
    "PlanetScale": ("pscale_", f"tkn_{_LETTERS}"),
    "Pulumi": ("pul-", f"{_HEX}3f2a77aa"),
    "Tailscale": ("tskey-", f"auth-{_LETTERS[:12]}CNTRL-{_LETTERS}"),
    "RubyGems": ("rubygems_", f"{_HEX}{_HEX[:16]}"),
    "1Password": ("ops_eyJ", _LETTERS),
    "Tavily": ("tvly-", _LETTERS),
    "LangSmith": ("lsv2_", f"pt_{_HEX}_{_HEX[:10]}"),
    "Together": ("tgp_v1_", _LETTERS),
    "Fireworks": ("fw_", _LETTERS[:24]),
    "Cerebras": ("csk-", _LETTERS),
    "Notion, old": ("secret_", _LETTERS[:43]),
    "Square": ("sq0atp-", _LETTERS[:22]),
    "Razorpay": ("rzp_", f"live_{_LETTERS[:14]}"),
    "EasyPost": ("EZAK", (_LETTERS * 2)[:54]),
    "Brevo": ("xkeysib-", f"{_HEX}{_HEX}-{_LETTERS[:16]}"),
    "Resend": ("re_", f"{_LETTERS[:8]}_{_LETTERS[:24]}"),
    "Mailchimp": (_HEX, "-us12"),
    "Mapbox": ("sk.eyJ", f"1Ijoi{_LETTERS}.{_LETTERS[:22]}"),
    "Alibaba Cloud": ("LTAI", _LETTERS[:20]),
    "Tencent Cloud": ("AKID", _LETTERS[:32]),
    "age": ("AGE-SECRET-KEY-1", (_CAPITALS * 4)[:58]),
    "a web token": ("eyJhbGciOiJIUzI1NiJ9.", f"eyJzdWIiOiIxIn0.{_LETTERS}"),
    "a web token, cut short": ("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxIn0"),
    "an encrypted web token": ("eyJhbGciOiJkaXIifQ.", f".{_LETTERS[:16]}.{_LETTERS}.{_LETTERS[:22]}"),
    "a private key": ("-----BEGIN RSA PRIVATE KEY-----", f"\n{_LETTERS}\n-----END RSA PRIVATE KEY-----"),
    "a private key in a form": (
        "-----BEGIN+RSA+PRIVATE+KEY-----", f"\n{_LETTERS}\n-----END+RSA+PRIVATE+KEY-----",
    ),
    "a private key of PGP": (
        "-----BEGIN PGP PRIVATE KEY BLOCK-----", f"\n{_LETTERS}\n-----END PGP PRIVATE KEY BLOCK-----",
    ),
    "a private key, cut short": ("-----BEGIN PRIVATE KEY-----", f"\n{_LETTERS}"),
}  # fmt: skip


@pytest.mark.parametrize("key", ["".join(parts) for parts in KEYS.values()], ids=[*KEYS])
@pytest.mark.parametrize(
    "said",
    ["no: {}", "no '{}'", "({})", "x/{}?ws", "openai-insecure-api-key.{}", "a,{},b"],
)
def test_a_key_shows_itself(key, said):
    """Nobody gave it to this run: a server has one of its own, and quotes it."""
    written = said.format(key)

    masked = said.format("***")
    cut = "cut short" in next(name for name, parts in KEYS.items() if "".join(parts) == key)
    if not cut or written.endswith(key):
        assert redact_text(written) == masked
        assert redact_source(written) == masked


@pytest.mark.parametrize(
    "prefix",
    [
        *(f"sk-{kind}-" for kind in ("svcacct", "admin", "ant", "or")),
        "dckr_pat_",
        *(f"gl{kind}-" for kind in ("agent", "cbt", "dt", "ffct", "ft", "imt")),
        *(f"gl{kind}-" for kind in ("oas", "ptt", "rt", "rtr", "soat", "wt")),
        "GOCSPX-", "1//0", "pplx-", "r8_", "nvapi-",
        *(f"{kind}_" for kind in ("shpca", "shppa", "shpss", "lin_api", "ntn", "sbp", "sb_secret")),
        "glc_",
        *(f"{kind}_live_" for kind in ("shippo", "duffel")),
        "rzp_test_",
    ],
)  # fmt: skip
def test_each_prefix_of_an_issuer(prefix):
    """Cut short, as far as that form allows."""
    body = _LETTERS[: 10 if prefix.startswith("sk-") else 24]

    assert redact_text(f"wrong key {prefix}{body}") == "wrong key ***"


@pytest.mark.parametrize("kind", ["mob", "access-development", "access-production"])
def test_each_prefix_of_a_key_that_is_a_uuid(kind):
    assert redact_text(f"wrong key {kind}-{_UUID}") == "wrong key ***"


_LABEL = "-----BEGIN RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f'assert key.startswith("{_LABEL}")\nE   assert False',
            'assert key.startswith("***\nE   assert False',
        ),
        (f"{_LABEL}\nE   {_LETTERS}\nE   aB3d==\nE   was read", "***\nE   was read"),
        (f"{_LABEL}\r\n{_LETTERS}\r\naB3d...\r\nwas read", "***\nwas read"),
        (
            f"{_LABEL}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{_HEX}\n\n{_LETTERS}\nNo: it was read",
            "***\nNo: it was read",
        ),
        (f"{_LABEL} {_LETTERS}\nwas read", "***\nwas read"),
        (f"{_LABEL} or {_LABEL}\n{_LETTERS}\n-----END RSA PRIVATE KEY----- was read", "****** was read"),
    ],
)
def test_a_private_key_without_its_end_is_as_long_as_its_lines(text, shown):
    """What names the label only, as a test does that looks for one, hides nothing else of a failure."""
    assert redact_source(text) == shown


@pytest.mark.parametrize("text", [_LABEL * 4_000, f"{_LABEL}\n" * 4_000, _LABEL + "\n    x" * 20_000 + " x"])
def test_labels_without_an_end_are_looked_at_in_one_go(text):
    before = time.process_time()

    assert redact_source(f"1 {text}").startswith("1 ***")
    assert time.process_time() - before < 2


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("escape", [lambda text: quote(text, safe=""), lambda text: json.dumps(text)[1:-1]])
def test_under_escapes(layers, escape):
    """As a server says it in JSON, or a URL in the query of another."""
    key = "".join(KEYS["OpenAI"])
    text = f'"/{key}"'
    for _ in range(layers):
        text = escape(text)

    assert key not in redact_text(text)
    assert "***" in redact_text(text)


def test_in_the_path_of_a_url():
    assert redact_url(f"wss://host/v1/{''.join(KEYS['OpenAI'])}/ws") == "wss://host/v1/***/ws"


@pytest.mark.parametrize(
    "text",
    [
        # Words; names of tests, models, packages and files.
        "sk-learn-pipeline-of-words-and-more", "test_sk_live_keys_are_refused",
        "gpt-4o-realtime-preview-2024-12-17", "npm_config_registry_of_somebody", "pypi-publish-of-a-wheel-1",
        "key-value-stores", "glide-through-the-air-1",
        "MyLongNameOfAClassForTests.method.of_a_test_with_a_long_name",
        # Twice as long, or half; and a subprotocol without its token.
        f"nsec1{_HEX}", f"SU{_CAPITALS}", "base64url.bearer.authorization.k8s.io",
        # Of a pod, as Kubernetes makes them.
        "glad-river-7f8d9c6b5-x2x4z", "xai-org-deployment-7d9f8b6c5d-x7k2p",
        "dapi-service-deployment-7d9f8b6c5d-x7k2p",
        # Ids of the peers under test, which a failure needs.
        "event_C9G8RJeJ2gF77mV7f2B1j", "item_C9G8RJeJ2gF77mV7f2B1j", "resp_C9G8RJeJ2gF77mV7f2B1j",
        "sess_C9G8QPGVyjBSTkFjNtQoV", "conv_01jxd5y165f62a0v7gtr6bkg56", f"CA{_HEX}", f"MZ{_HEX}",
        "550e8400-e29b-41d4-a716-446655440000", f"sha256:{_HEX}{_HEX}", f"ETag {_HEX}", "0x7f85da24fba0",
        f"sha256:4b1d{_HEX}{_HEX[:28]}",
        # Words with such a beginning, and ids with a UUID of their own.
        "re_enter_the_room_of_somebody", "secret_santa_of_the_whole_company", "vca_configuration_of_somebody",
        "tskey-value-stores", f"room-{_UUID}", f"sdk-{_UUID}0", f"sdk-{_UUID}-1", f"pat-{_UUID}",
        "dp.ui.components.of.a.page", "us-east-1", f"{_HEX}-usd", f"{_HEX}-us2-a",
        "fw_version_of_the_board_2",
        # Too short, or a part of something longer.
        "figd_short", "csk-short", "EZAKshort", "LTAIshort", f"rzp_beta_{_LETTERS}",
        "sk-proj-short", f"ASK{_HEX}", f"MAC{_HEX}", f"XAKIA{_CAPITALS}", f"AKIA{_CAPITALS}7",
        # Base64 of JSON is no token by itself, nor is a public key a secret.
        base64.b64encode(b'{"a": 1}').decode(), "-----BEGIN PUBLIC KEY-----",
    ],
)  # fmt: skip
def test_what_is_no_key(text):
    """A report with everything masked would help nobody."""
    assert redact_text(f"got {text} here") == f"got {text} here"


@pytest.mark.parametrize(
    "text", [os.path.join("a", "sk-proj-"), "eyJ", "eyJ-" * 9, "SG." * 9, "://" * 9, f"oauth:{_HEX}"]
)
def test_beginnings_alone(text):
    """Of what a peer may send by the thousand."""
    assert list(issued(text)) == []
