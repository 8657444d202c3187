"""Secrets that nobody gave, and that show themselves by the form in which their issuer writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .secret_names import is_ordinary

# As the issuers document them, and the scanners of GitHub and gitleaks look for them. Without what is only
# found by its name: 32 or 40 hexadecimal digits may be the hash of anything.
_ISSUED = (
    # OpenAI, Anthropic and OpenRouter; those who copied them; OpenAI's keys for browsers.
    r"sk-(?:proj|svcacct|admin|ant|or)-[\w-]{8,}",
    r"sk-[\w-]{20,}",
    r"ek_[\w-]{20,}",
    # Stripe, ElevenLabs, Cartesia, Clerk.
    r"[sr]k_(?:[a-z]+_)?\w{20,}",
    r"whsec_[\w+/=]{16,}",
    # GitHub, GitLab, npm, PyPI, Docker.
    r"(?:gh[opsru]|github_pat|npm|dckr_pat)_[\w-]{16,}",
    r"(?:gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|rtr|soat|wt)|pypi)-[\w-]{20,}",
    # Slack, and its webhooks; Telegram; Discord, which begins with the digits of an id in Base64.
    r"(?:xox[a-z]|xapp)[.-][\w.-]{10,}",
    r"hooks\.slack\.com/services/[\w/]+",
    r"\d{8,10}:AA[\w-]{30,}",
    r"(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5}[\w-]{3,7}\.[\w-]{6}\.[\w-]{27,}",
    # AWS, Google, Twilio, SendGrid, Mailgun.
    r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])",
    r"AIza[\w-]{30,}",
    r"(?:ya29\.|GOCSPX-|1//0)[\w-]{20,}",
    r"(?:AC|SK)[0-9a-f]{32}(?![A-Za-z0-9])",
    r"SG\.[\w-]{16,}\.[\w-]{16,}",
    r"key-[0-9a-f]{32}",
    # Hugging Face, Groq, xAI, Perplexity, Nvidia, Replicate, Databricks.
    r"(?:hf_|gsk_|xai-|pplx-|r8_)[A-Za-z0-9]{24,}|nvapi-[\w-]{24,}|dapi[0-9a-f]{24,}",
    # HashiCorp Vault, DigitalOcean, Shopify, Linear, Notion, Supabase.
    r"hv[bsr]\.[\w-]{20,}",
    r"(?:do[opr]_v1|shp(?:at|ca|pa|ss)|lin_api|ntn|sbp|sb_secret)_\w{20,}",
    # Twitch's chat, Nostr (NIP-19), seeds of NATS, and the subprotocol that carries Kubernetes' token.
    r"oauth:[a-z0-9]{30}(?![A-Za-z0-9])",
    r"nsec1[02-9ac-hj-np-z]{58}",
    r"S[ACNOUX][A-Z2-7]{56}(?![A-Za-z0-9])",
    r"base64url\.bearer\.authorization\.k8s\.io\.[\w-]{8,}",
)
_BY_FORM = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_ISSUED)})", re.ASCII)
# A JSON web token, signed or encrypted (RFC 7515, 7516): it begins with '{"' in Base64. Its end may be cut.
WEB_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]+\.(?:eyJ[\w-]*|[\w-]*\.)[\w.-]*(?<!\.)", re.ASCII)
# RFC 7468; the end may be cut.
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
)


def issued(text: str) -> Iterator[tuple[int, int]]:
    """Where keys and tokens stand whose issuer made them to be recognised."""
    for match in _BY_FORM.finditer(text):
        # "sk-learn-pipeline-of-words".
        if match[0].isalnum() or not is_ordinary(match[0]):
            yield match.span()
    if "eyJ" in text:
        yield from (match.span() for match in WEB_TOKEN.finditer(text))
    if "PRIVATE KEY" in text:
        yield from (match.span() for match in _PRIVATE_KEY.finditer(text))
