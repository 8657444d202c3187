"""How close reasons say that a heartbeat is no message which the peer knows, as patterns."""

BEAT = r"(?:pings?|pongs?|heart-?beats?)"
_KIND = (
    r"(?:op|opcode|operation|type|messages?|msg|commands?|cmd|actions?|events?|methods?|packets?|requests?)"
)
_STRANGE = r"(?:unknown|unrecogni[sz]ed|unsupported|unhandled|invalid|unexpected|illegal)"
_NOT_KNOWN = r"not (?:an? )?(?:known|valid|recogni[sz]ed|supported|implemented)"
# What became of a heartbeat is told of one that is known: "unexpected event: heartbeat missed".
_NAMED = rf"{BEAT}(?!\W+(?:time|dead|interval|expired|lost|miss))"

# The heartbeat's name beside what says that nobody knows it.
REFUSED = (
    rf"{_STRANGE}\W+(?:\w+\W+)?{_KIND}\W+(?:\w+\W+)?{_NAMED}",
    rf"(?:unknown|unrecogni[sz]ed|unsupported) {_NAMED}",
    rf"{_KIND} (?:is |was )?(?:not found|{_NOT_KNOWN})\W+{_NAMED}",
    rf"no (?:handler|route|such {_KIND})\W+(?:\w+\W+){{0,3}}{_NAMED}",
    rf"{BEAT}(?: {_KIND}| frames?)?\W+(?:is |was |are |were )?"
    rf"(?:{_NOT_KNOWN}|unsupported$|(?:an? )?{_STRANGE} {_KIND})",
)
