"""Secrets that nobody gave, and that show themselves by the form in which their issuer writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .secret_names import is_ordinary

# As the issuers document them, and the scanners of GitHub and gitleaks look for them. Without what is only
# found by its name: 32 or 40 hexadecimal digits may be the hash of anything.
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])"
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
    r"(?:hf_|api_org_|gsk_|xai-|pplx-|r8_)[A-Za-z0-9]{24,}|nvapi-[\w-]{24,}|dapi[0-9a-f]{24,}",
    # HashiCorp Vault, DigitalOcean, Shopify, Linear, Notion, Supabase.
    r"hv[bsr]\.[\w-]{20,}",
    r"(?:do[opr]_v1|shp(?:at|ca|pa|ss)|lin_api|ntn|sbp|sb_secret)_\w{20,}",
    # Twitch's chat, Nostr (NIP-19), seeds of NATS, and the subprotocol that carries Kubernetes' token.
    r"oauth:[a-z0-9]{30}(?![A-Za-z0-9])",
    r"nsec1[02-9ac-hj-np-z]{58}",
    r"S[ACNOUX][A-Z2-7]{56}(?![A-Za-z0-9])",
    r"base64url\.bearer\.authorization\.k8s\.io\.[\w-]{8,}",
    # AWS AppSync, Adafruit, Agora, Telnyx; a webhook of Discord.
    r"da2-[a-z0-9]{26}(?![A-Za-z0-9])|aio_[A-Za-z0-9]{28}|007eJx[\w+/]{24,}={0,2}",
    r"KEY[0-9A-F]{32}_\w{20,}|discord(?:app)?\.com/api/webhooks/\d+/[\w-]+",
    # Atlassian, Airtable, Figma, HubSpot, LaunchDarkly, Plaid, Postman, PostHog.
    r"(?:AT[AC]TT3|ATBB)[\w=-]{24,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}|figd_[\w-]{20,}",
    rf"(?:pat-[a-z]{{2}}\d|sdk|mob|access-(?:sandbox|development|production))-{_UUID}",
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}|ph[sx]_\w{30,}",
    # New Relic, Sentry, Grafana, Dynatrace; Vercel, Netlify, Fly, Heroku, Doppler;
    # PlanetScale, Pulumi, Tailscale, RubyGems, 1Password.
    r"NRAK-[A-Z0-9]{27}|sntry[su]_[\w+/=-]{20,}|gl(?:c|sa)_[\w=-]{20,}|dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
    r"(?:vc[aikpr]_|nfp_)[A-Za-z0-9]{24,}|fm[12][ar]?_[\w+/=]{40,}|HRKU-[\w-]{30,}|dp\.[a-z]{2,5}\.(?:[\w-]{2,35}\.)?\w{40,}",
    r"pscale_[a-z]+_[\w-]{20,}|pul-[0-9a-f]{40}|tskey-[\w-]{20,}|rubygems_[0-9a-f]{48}|ops_eyJ[\w+/=-]{40,}",
    # Tavily, LangSmith, Together, Fireworks, Cerebras; old ones of Notion.
    r"(?:tvly-|tgp_v1_|csk-)[\w-]{24,}|lsv2_[a-z]{2}_[0-9a-f]{32}_[0-9a-f]{10}|(?:fw|secret)_[A-Za-z0-9]{24,}",
    # Square, Razorpay, Shippo, EasyPost, Duffel; Brevo, Resend, Mailchimp, Mapbox.
    r"sq0[a-z]{3}-[\w-]{22,}|(?:rzp|shippo|duffel)_(?:live|test)_[\w-]{14,}|EZ[AT]K[A-Za-z0-9]{54}",
    r"xkeysib-[0-9a-f]{64}-\w{16}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}|[0-9a-f]{32}-us\d{1,2}(?![\w-])",
    r"[st]k\.eyJ[\w-]{20,}\.[\w-]{20,}",
    # PASETO and its keys, Fernet; Google's newer keys, AWS' session tokens and Bedrock.
    r"v[1-4]\.(?:local|public)\.[\w-]{20,}(?:\.[\w-]+)?|k[1-4]\.(?:secret|local)\.[\w-]{40,}",
    r"gAAAAAB[\w-]{60,}={0,2}",
    r"AQ\.Ab8[\w-]{30,}|(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|ABSK|bedrock-api-key-)[\w+/-]{60,}={0,2}",
    # Azure: what its services add to their keys, and secrets of applications.
    r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}|[\w+/]{76}(?:\+AS?[A-Za-z]{2}|AZDO)[\w+/]{4,6}={0,2}",
    r"[\w.~-]{3}\dQ~[\w.~-]{31,34}",
    # Ably, PubNub, Retell, old sessions of OpenAI; Cloudflare, PayPal and Braintree, Firebase, Facebook.
    r"[\w-]{6}\.[\w-]{6}:[\w-]{43}(?![\w-])|sec-c-[\w+/=-]{36,}|key_[0-9a-f]{28}(?![\w-])",
    r"sess-[A-Za-z0-9]{40}|(?:cf(?:ut|k|at)_|v1\.0-[0-9a-f]{24}-)[A-Za-z0-9]{40,}",
    r"access_token\$[a-z]+\$\w+\$[0-9a-f]{32}|AAAA[\w-]{7}:APA91b[\w-]{80,}|EAA[A-Za-z0-9]{90,}",
    # CircleCI, Buildkite, Terraform, Prefect, SonarQube, Sourcegraph, Typeform, OpenShift, n8n, Render, Neon.
    r"CCIPAT_\w{40,}|bkua_[0-9a-f]{40}|\w{14}\.atlasv1\.[\w-]{50,}|pn[ub]_[A-Za-z0-9]{36}",
    r"sq[uap]_[0-9a-f]{40}",
    r"sgp_\w{40,}|tfp_[\w-]{40,}|sha256~[\w-]{43}|n8n_api_[\w.-]{30,}|rnd_[A-Za-z0-9]{28,}|napi_[a-z0-9]{60,}",
    # Pinecone, E2B, Apify, Firecrawl, Anyscale, Linear's OAuth 2.0.
    r"(?:pcsk|esecret)_\w{24,}|e2b_[0-9a-f]{40}|apify_api_[A-Za-z0-9]{30,}|fc-[0-9a-f]{32}|lin_oauth_\w{40,}",
    # 1Password's secret key, Adobe, Artifactory, ClickHouse, Clojars, Flutterwave, Frame.io, Harness.
    r"A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}|p8e-[A-Za-z0-9]{32}",
    r"AKCp[A-Za-z0-9]{69}|cmVmd[A-Za-z0-9]{59}|4b1d[A-Za-z0-9]{38}(?![A-Za-z0-9])|CLOJARS_[a-z0-9]{60}",
    r"FLWSECK(?:_TEST)?-[\w-]{12,}|fio-u-[\w=-]{64}|(?:pat|sat)\.[\w-]{22}\.[\w]{24}\.\w{20}",
    # Infracost, MaxMind, Octopus Deploy, ReadMe, Scalingo, SettleMint, GitLab's runners; webhooks of Teams.
    r"ico-[A-Za-z0-9]{32}|[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk|API-[A-Z0-9]{26}|rdme_[a-z0-9]{70}",
    r"tk-us-[\w-]{48}|sm_[aps]at_[A-Za-z0-9]{16}|GR1348941[\w-]{20}",
    r"webhook\.office\.com/webhookb2/[\w@/-]{40,}",
    # Alibaba and Tencent Cloud, age.
    r"LTAI[A-Za-z0-9]{16,}|AKID[A-Za-z0-9]{32}|AGE-SECRET-KEY-1[A-Z0-9]{58}",
)
_BY_FORM = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_ISSUED)})", re.ASCII)
# A JSON web token, signed or encrypted (RFC 7515, 7516): it begins with '{"' in Base64. Its end may be cut.
WEB_TOKEN = re.compile(r"(?<![\w-])eyJ[\w-]+\.(?:eyJ[\w-]*|[\w-]*\.)[\w.-]*(?<!\.)", re.ASCII)
# RFC 7468, and PGP's; a form may have encoded the spaces.
_KEY_LABEL = r"[A-Z +]*PRIVATE[ +]KEY(?: BLOCK)?-----"
# Where the end is cut, it goes as far as lines are such as keys have: of one word, or fields (RFC 1421). What
# names a label only, as a test does that looks for one, hides no more than its line.
_KEY_LINE = r"[ \tE+-]*+(?:(?:Proc-Type|DEK-Info|Version|Comment): [^\n]*|[^\s:]*)[ \t\r]*(?=\n|\Z)"
_PRIVATE_KEY = re.compile(
    rf"-----BEGIN{_KEY_LABEL}"
    rf"(?:(?:(?!-----BEGIN).)*?-----END{_KEY_LABEL}|(?:(?!-----BEGIN)[^\n])*(?:\n{_KEY_LINE})*)",
    re.DOTALL,
)


def issued(text: str) -> Iterator[tuple[int, int]]:
    """Where keys and tokens stand whose issuer made them to be recognised."""
    for match in _BY_FORM.finditer(text):
        # "sk-learn-pipeline-of-words".
        if match[0].isalnum() or not is_ordinary(match[0]):
            yield match.span()
    if "eyJ" in text:
        yield from (match.span() for match in WEB_TOKEN.finditer(text))
    if "-----BEGIN" in text:
        yield from (match.span() for match in _PRIVATE_KEY.finditer(text))
