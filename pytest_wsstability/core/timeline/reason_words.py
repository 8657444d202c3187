"""The words by which the topic of a close reason is told, each seen in software or reports of others."""

from __future__ import annotations

import re
from enum import Enum

from .refused_heartbeats import BEAT as _BEAT
from .refused_heartbeats import REFUSED


class Topic(Enum):
    """What a close reason may speak of; the value stands in a sentence."""

    SETUP = "a session that is not set up"
    KEEPALIVE = "a keepalive"
    IDLE = "idleness"
    TIMEOUT = "a timeout"
    SLOW = "a slow consumer"
    RATE = "a rate limit"
    SIZE = "a size limit"
    RESTART = "a restart or shutdown"
    ORIGIN = "an origin"
    DUPLICATE = "a second connection"
    TOKEN = "credentials"
    SESSION_OVER = "a session that is over"
    SESSION_UNKNOWN = "a session that is not known"
    PROTOCOL = "the protocol"
    UPSTREAM = "an upstream"
    OVERLOAD = "overload"
    ERROR = "an error"


def any_of(*alternatives: str) -> re.Pattern[str]:
    """A pattern that finds any of these, by whole words."""
    return re.compile("|".join(rf"\b(?:{each})\b" for each in alternatives))


# Parts of the patterns below.
_TRAFFIC = r"(?:audio|data|activity|messages?|traffic|input|frames?)(?! rate)"
_CAME = (
    r"(?:(?:was |were |has been )?(?:received|sent|seen|heard|detected|arriv\w+|came|coming|from|within|"
    r"since|for (?:too|over|more)|(?:for|in) \d+ ?(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?)))"
)
_TAKER = r"(?:consumer|client|reader|receiver|subscriber|peer|you|connection|link|network)s?"
_REFUSED = r"(?:allowed|refused|rejected|denied|forbidden|accepted|match\w*|permitted|trusted|authori[sz]ed)"
_FORMS = r"(?:binary|text|frames?|messages?|fragment\w*|compression|extensions?|opcodes?|data|rsv ?\d?)"
_OFTEN = r"too (?:fast|often|frequent\w*|quick\w*)"
_OFTEN_ASKED = rf"{_BEAT} (?:interval (?:is )?(?:too (?:short|small|low)|{_OFTEN})|{_OFTEN})"
_WRONG_SECRET = (
    r"(?:invalid|incorrect|wrong|bad) (?:(?:access|app|application|client|stream|room|server|shared|user) )?"
    r"(?:(?:keys?|secrets?|pass ?words?|pass ?phrases?|pass ?codes?|user ?names?)(?: (?:and|or) )?){1,2}"
)
_SPOILT = r"(?:invalid|malformed|bad|unknown) (?:messages?|requests?|frames?|commands?|packets?|updates?)"
_CODING = r"(?:(?:de)?compress\w*|deflate|inflate|zlib|masking|framing|opcode|utf\S{0,9})"
_WAITING = r"(?:pending|queued|unsent|unread) (?:messages?|bytes|writes|frames?|packets?|events?)"
_UNABLE = r"(?:can ?not|can't|could not|did not|does not|not|unable to)"
_ONE = r"(?:connection|session|client|socket|device|id)"
# What servers keep connections to, besides those of their clients.
_STORE = (
    r"(?:\w+ )?(?:redis|\w*sql|postgres|mongo\w*|kafka|rabbitmq|nats|database|db|broker|backend|exchange)"
)
# Handshakes and logins of other connections: of a shell or a desktop in a browser, a database (ODBC).
_NOT_OURS = (
    rf"(?:d?tls|ssl|ssh|sftp|rdp|vnc|telnet|ldap|smtp|ice|upstream|proxy|{_STORE}) (?:\w+ )?"
    r"(?:handshake|log-?in|log-?on|join|identif\w+|registration|hello)|log-?in timeout expired"
)
_LOGIN = r"(?:authenti\w+|authori[sz]\w+|log(?:ged)?[- ]?in)"
_OPENED = r"(?:opened|established|started|detected|created|made|connected|took)"
_SEVERAL = r"(?:connections?|clients?|users?|sockets?|sessions?|streams?|channels?|subscri\w+)"
_NOT_THERE = r"(?:miss\w*|lost|late|unanswered|failed|skipped|dropped)"
_AT_ONCE = r"(?:concurrent|simultaneous|parallel|active|open)"
_PICTURE = r"(?:images?|photos?|pictures?|videos?|audio|codec|files?|backups?)"
# gunicorn, and Puma.
_KILLED = r"(?:worker timeout \(pid|terminating timed out worker)"
# coder/websocket, of the read that went on behind a ping.
_HANDLED = r"handle control frame op (?:ping|pong|close)"
_DOWN = r"(?:server|dns|unreach\w*|errors?|timed[- ]?out|timeout|down|returned|closed|gone|lost|failed)"

# What a server stops, or starts again, of a single client or of itself, while it goes on.
_PART = (
    r"(?:session|connection|client|user|player|peer|(?:web)?socket|transport|stream|channel|topic|subscription|"
    r"room|lobby|game|match|call|conversation|meeting|pipeline|kernel|task|job|timer|scheduler|heartbeat|"
    r"consumer|producer|queue|thread|listener|reader|writer|handler|watcher|monitor|bot)"
)
_HOST = r"(?:server|service|node|host|process|instance|cluster|worker)"
_STOPS = r"(?:re-?start\w*|shut(?:ting)?[- ]?down)"
# What lasts as long as a connection, or longer; and a time, as people write it.
_LASTING = r"(?:(?:web ?)?socket|connection|session|stream|call|conversation|meeting)"
_TIME = r"\d+(?:\.\d+)? ?(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?)"
_TIME_LIMIT = rf"\d+[- ]?(?:hours?|h|minutes?|min) (?:{_LASTING} )?(?:time )?limit"
_GONE = r"(?:clos\w+|lost|terminat\w+|ended|reset|dropped)"

# Words that mean a topic whatever stands beside them; read in the order of `Topic`, and each was seen in
# software or reports of others.
KEYWORDS: dict[Topic, re.Pattern[str]] = {
    Topic.SETUP: any_of(
        r"(?:connection init(?:iali[sz]ation)?|handshake|hello|login|log-?on|join|identif\w+|registration) "
        r"(?:message )?(?:time[- ]?out|timed[- ]?out|deadline)",
        r"(?:not|never|no) (?:\w+ )?(?:receiv\w*|send|sent|get) (?:an? |the |any )?"
        r"(?:auth\w*|identif(?:y|ied|ication)|init\w*|hello|login|connect|handshake|start|setup)",
        # "Thread not joined in time" is about something else.
        r"(?:^|(?:client|user|you|connection|peer|session) (?:\w+ )?)"
        r"not (?:identif\w+|log(?:ged)? ?in|join\w*|regist\w+) in time",
        r"waiting for (?:an? |the )?(?:\w+ )?(?:auth\w*|hello|login|handshake|first message)",
        r"no (?:auth\w*|init\w*|hello|login|handshake|setup|identif\w+) "
        r"(?:message|packet|frame|request|within)",
        r"(?:subscri\w+|auth\w*|identif\w+|join|log ?in) (?:\w+ ){0,3}within \d+",
        r"handshake (?:was |is )?cancel\w*",
    ),
    Topic.KEEPALIVE: any_of(r"keep[- ]?alives?", r"heart[- ]?beats?", r"pings?", r"pongs?"),
    Topic.IDLE: any_of(
        r"idle\w*", r"inactiv\w*", r"silen(?:t|ce)",
        # "No more data" is the end of a stream, and no silence.
        rf"no (?:(?:user|client|voice|valid|incoming) )?{_TRAFFIC}(?: {_CAME}|\W*$)",
        rf"no (?:further|more) {_TRAFFIC} {_CAME}",
        rf"waiting for (?:\w+ )?{_TRAFFIC}", r"(?:input|audio) time[- ]?out",
        r"(?:not|never) (?:\w+ )?(?:receive\w*|send\w*|sent|get\w*|got|see\w*|heard) "
        rf"(?:\w+ ){{0,3}}{_TRAFFIC}",
    ),
    Topic.TIMEOUT: any_of(r"time[- ]?outs?", r"timed[- ]?out", r"deadline\w*"),
    Topic.SLOW: any_of(
        # The whole reason of Centrifugo's 3008.
        r"^slow$", rf"slow(?:ly)? {_TAKER}", r"slow(?:ly)? (?:read|consum|receiv)\w*",
        rf"(?:max\w*|too many) {_WAITING}", rf"{_TAKER} (?:is |\w+ )?{_UNABLE} keep(?:ing)? up",
        r"too many messages (?:queued|pending|buffered)", r"pending (?:bytes|writes)",
        rf"{_TAKER} (?:is |are |was )?(?:too )?(?:slow\w*|lag(?:s|ged|ging)?|behind)",
        r"(?:falling|fell) (?:too far )?behind",
        r"(?:send|write|output|outbound|outgoing) (?:buffer|queue|backlog)s? (?:is |are |was |size )?"
        r"(?:too )?(?:full|overflow\w*|exceed\w*|limit\w*|large)",
        # What Spring raises where a client takes too little, or too late.
        r"session limit exceeded exception",
    ),
    Topic.RATE: any_of(
        r"rate[- ]?limit\w*", r"rate (?:is |was )?(?:exceeded|too high)", r"exceeded (?:the )?(?:\w+ )?rate",
        r"(?:messages?|msgs?|requests?|events?) rate", r"(?:ping|pong|heart-?beat)s? rate",
        _OFTEN_ASKED, r"faster than real[- ]?time",
        _OFTEN, r"(?:less|more) often", r"flood\w*", r"spam\w*",
        r"throttl\w*", r"slow down", r"token buckets?",
        r"\d+ (?:messages?|msgs?|requests?|frames?|commands?|events?|pings?) (?:per|a) \w+",
        r"too many (?:\w+ )?(?:requests?|messages?|frames?|commands?|updates?|attempts)",
        r"too many (?:failed|invalid|unsuccessful|wrong) log-?ins",
        rf"too many (?:\w+ )?(?:re-?connect\w*|{_BEAT})", r"too much (?:request weight|traffic)",
        # A limit on what is sent in all, or in a day; "exceeded" may be one on the size.
        r"(?:message|request|command)s? (?:limit|quota)(?: of \d+)? (?:is |was |has been )?(?:reached|hit)",
        r"max\w* (?:number of )?(?:messages|requests|commands) (?:(?:per|a|for (?:this|the|your)) \w+ )?"
        r"(?:is |was |has been )?(?:reached|exceeded)",
    ),
    Topic.SIZE: any_of(
        r"too (?:big|large)", r"(?:message|frame|payload|data) (?:is |was )?too long", r"read limit(?:ed)?",
        r"over-?siz\w*", r"(?:message|frame|payload) (?:size|length) (?:limit|exceed\w*|is over|too)",
        r"size (?:limit|exceed\w*)", r"exceeds? (?:the )?(?:(?:payload|frame|size) )?limit of \d+",
        r"max\w* (?:\w+ ){0,2}(?:payload|length|size)", r"\d+ bytes exceed\w*", r"over \d+ bytes",
        r"buffer too small", r"content-length\W.{0,60}exceeds",
    ),
    Topic.RESTART: any_of(
        r"re-?start\w*", r"re-?boot\w*", r"re-?deploy\w*", r"deploy(?:ing|ment)", r"maintenance",
        r"shut(?:ting)?[- ]?down", r"going down", r"draining", r"rolling (?:update|upgrade)",
        r"sig(?:term|kill)", _KILLED, r"code (?:was |has been )?updated",
        r"(?:server|instance|pod|process|node|worker|service|application|container|machine|host) "
        r"(?:is |was |has )?(?:being )?(?:stopp\w+|terminat\w+|closing|exit\w*|going away|evict\w*|"
        r"replac\w*)"
        r"(?! (?:\w+ )?(?:connection|session|(?:web)?socket|client|stream)| respon)",
        r"(?:server|system|service) (?:upgrade|update)",
    ),
    Topic.ORIGIN: any_of(
        r"cors", r"cross-?origin", rf"origins? (?:\S+ )?(?:is |was )?(?:not |un|dis|mis)?{_REFUSED}",
        r"(?:bad|invalid|wrong|unknown|forbidden|untrusted|disallowed|unauthori[sz]ed|check) origins?",
        r"not an? (?:accepted|allowed|trusted|authori[sz]ed|permitted|valid) origin",
    ),
    Topic.DUPLICATE: any_of(
        r"duplicated? (?:connection|session|client|login|socket|device|tab|user)s?",
        r"already (?:connected|logged in|online)", rf"{_ONE} (?:is )?(?:already )?(?:in use|exists)",
        rf"{_ONE} (?:is |already |is already )open", r"replaced by",
        r"(?:connection|session|client|socket) (?:was |is |has been )?replaced", r"superseded",
        r"taken over", r"take-?over",
        rf"new (?:connection|session|login|socket|device|tab) (?:was |has been |is |has )?{_OPENED}",
        r"elsewhere", r"(?:another|newer) (?:connection|session|client|device|tab|login|location)s?",
        r"multiple (?:connections|sessions|logins)",
        r"one (?:connection|session|client) (?:is )?(?:allowed|per)",
    ),
    Topic.TOKEN: any_of(
        r"tokens? (?:has |have |is |was )?(?:been )?(?:expir\w*|invalid\w*|revoked|missing|rejected|required|"
        r"time[- ]?out|timed[- ]?out|not \w+|no longer|refresh\w*)",
        r"(?:invalid|expired|missing|bad|no|unknown|revoked|wrong|stale|access|auth) tokens?", r"jwt",
        r"credentials?", r"un-?auth\w*", r"authenti\w*", r"authori[sz]\w*", r"(?:please )?log in again",
        r"logged[- ]?out", r"api[- _]?key", r"forbidden", r"permissions?", r"access denied", r"not allowed",
        r"auth (?:timeout|timed out|expired|failed|failure|required|error)", r"csrf",
        r"(?:account|key|access|session) (?:\w+ )?(?:banned|suspended|disabled|revoked|blocked)",
        r"(?:user|ip) (?:\w+ )?(?:disabled|revoked)", rf"{_WRONG_SECRET} (?:provided|supplied|given)",
    ),
    Topic.SESSION_OVER: any_of(
        r"session (?:has |is |was )?(?:expir\w*|too long)", r"expired session",
        r"connection (?:has |is )?expired", _TIME_LIMIT,
        rf"max\w* (?:allowed )?(?:{_LASTING} ){{0,2}}(?:duration|age|life-?time|time)", r"ttl",
        rf"max\w* {_LASTING} length", rf"max\w* length of {_TIME}",
        rf"(?:duration|life-?time|{_LASTING} time|connection age) (?:limit|exceeded|reached|is over)",
        rf"{_LASTING} (?:duration|time) (?:has |is |was )?(?:over|expired|elapsed)",
        # Gemini Live, whose words about its "session duration" are cut off: a reason has 123 bytes.
        r"go[- ]?away signal",
    ),
    Topic.SESSION_UNKNOWN: any_of(
        r"(?:invalid|unknown|stale|no such) session", r"no connection with (?:that|this) id",
        r"session (?:id )?(?:is |was )?(?:no longer valid|not valid|invalid\w*|not found|unknown|gone|lost)",
    ),
    Topic.PROTOCOL: any_of(
        r"protocol (?:error|violat\w*|version|mismatch)", r"malformed", rf"too many {_SPOILT}",
        rf"{_CODING} (?:error|fail\w*)", r"bad opcode",
        # "Unexpected data message" (coder/websocket, where the server means to read nothing).
        r"unexpected (?:token|(?:(?:data|text|binary|control|\w+ation) )?(?:frame|opcode|message))",
        r"(?:pars|decod)(?:e|ing) \w+", r"(?:be|not) decoded",
        r"(?:invalid|unsolicited) (?:frame|utf\S{0,9}|json|message|payload|opcode|data|ping|pong)",
        r"unsupported (?:data|frame|message|opcode|payload|protocol|version|format|encoding|type)",
        r"bad (?:frame|message|json|request)", r"pong without (?:a )?ping",
        r"invalid (?:\w+ )?(?:request|argument|command|parameters?|syntax)",
        r"(?:unknown|unrecogni[sz]ed) (?:command|message|op ?code|event|method|frame)",
        r"not valid (?:utf|json)\S*", r"unexpected end", r"reserved bits?", r"rsv ?[1-3]?", r"mask must",
        r"(?:un-?|not |be )masked", r"masked frame", r"fragmented", r"control frame",
        # gorilla/websocket, Jetty, faye-websocket. Not "incorrect masking" of websockets: a backend says so
        # of the close frame without a mask that Caddy 2.6 sends when it is terminated (measured).
        r"(?:bad|wrong|missing) mask(?:ing| (?:bit|key|flag)|(?! \w))", r"must mask \w+ frames?",
        r"fin not set", r"data before fin",
        r"continuation after fin", r"continuation (?:data )?frame", r"previous continuous frame",
        r"bad close code", r"(?:input|audio) duration (?:violation|error)",
        r"validation", r"schema", r"missing (?:required )?(?:\w+ )?(?:field|parameter|argument)s?",
        rf"{_FORMS} (?:\w+ )?(?:is |are )?(?:not|dis)[- ]?(?:allowed|accepted|supported|permitted)",
        *REFUSED,
    ),
    Topic.UPSTREAM: any_of(
        r"upstream", r"bad gateway", r"gateway time[- ]?out",
        r"(?:backend|broker) (?:\w+ )?(?:errors?|timeout|unavailable|unreachable|down|"
        r"failed|closed|gone|lost|died)", r"(?:backend|broker) not available",
        rf"origin (?:is |has |was )?{_DOWN}",
        r"(?:to|from|with|reach) (?:the )?origin",
        # websockify.
        r"(?:to|from|with) (?:the )?downstream server", r"^target closed$",
        rf"lost (?:the )?connection to (?:the )?{_STORE}",
    ),
    Topic.OVERLOAD: any_of(
        r"overload\w*", r"(?:over|at|out of|no) capacity", r"capacity (?:is )?(?:reached|exceeded|limit)",
        r"(?:(?:server|service|system) (?:is )?)?too busy", r"(?:server|service|system) (?:is )?busy",
        r"(?:connections?|channels?) (?:limit|quota)", r"concurren\w+ limit",
        rf"too many (?:\w+ )?{_SEVERAL}", rf"max\w* (?:\w+ )?{_SEVERAL} (?:exceed\w*|reached)",
        rf"max\w* number of (?:\w+ )?{_SEVERAL}", r"max\w* connections", r"resources? exhausted",
        rf"concurrent {_SEVERAL} (?:exceed\w*|limit|reached)", rf"only \d+ {_SEVERAL}",
        rf"(?:server|service) {_UNABLE} keep(?:ing)? up",
    ),
    Topic.ERROR: any_of(
        r"errors?", r"exceptions?", r"traceback", r"crash\w*", r"fail(?:ed|ure)s?", r"panic\w*", r"unhandled",
        r"\w+(?:error|exception)",
    ),
}  # fmt: skip
# Words that mean a topic, and other things too: "rate this call", the "login node", a "busy line".
HINTS: dict[Topic, re.Pattern[str]] = {
    # The whole reason of Centrifugo's 3502, for a client that did not connect in time in its protocol.
    Topic.SETUP: any_of(r"^stale$"),
    Topic.KEEPALIVE: any_of(
        r"stale connections?", r"connection (?:is )?stale", r"unresponsive",
        r"(?:client|peer) (?:is |was |did )?not respon\w+", r"no response from (?:the )?(?:client|peer)",
        r"(?:no|missed|missing) acks?", r"(?:dead|zombie|half-?open) (?:connection|client|peer|socket)",
    ),
    Topic.IDLE: any_of(r"unused"),
    Topic.SLOW: any_of(
        r"too slow\w*",
        r"slow$",
        r"lag(?:s|ged|ging)?$",
        r"lag (?:is )?too",
        r"too far behind",
        rf"{_UNABLE} keep(?:ing)? up",
        r"back-?pressure",
        r"(?:buffer|queue|backlog)s? (?:is |are )?(?:full|overflow\w*|exceed\w*|limit)",
        r"(?:send|write|output|outbound) (?:buffer|queue)\w*",
        r"(?:buffer|queue|backlog) (?:size|length)",
        r"(?:send|writer?|flush) (?:time|deadline|timed|limit)\w*",
        # "write tcp 10.0.0.1:80->10.0.0.2:5000: i/o timeout"
        r"write\b.{0,80}\bi/o timeout",
        r"max\w* buffered amount",
        r"high[- ]water[- ]?mark",
    ),
    Topic.RATE: any_of(r"rate", r"quotas?", r"usage limits?", r"too many (?:\w+ )?log-?ins"),
    Topic.SIZE: any_of(r"(?:message|frame|payload|data) (?:size|length)"),
    Topic.RESTART: any_of(
        r"reload(?:ing|ed)?", r"deploys?", r"drain\w*", r"upgrading", r"migrat\w*", r"stopping",
        r"new version", r"(?:liveness|readiness|health)", r"re-?balanc\w*", r"hand-?off",
        r"scal(?:e|ing)[- ](?:in|down)",
    ),
    Topic.ORIGIN: any_of(r"origins?"),
    Topic.DUPLICATE: any_of(
        r"replaced", r"other (?:connection|session|device|tab|login)", r"duplicat\w*", r"session conflict",
        r"already (?:open|in use|subscribed|exists)", r"old connection",
    ),
    Topic.TOKEN: any_of(
        r"tokens?", r"auth", r"log(?:ged)?[- ]?(?:in|out)", r"signatures?",
        # Moderators ban people who log in well.
        r"(?:user|ip) (?:\w+ )?(?:banned|suspended|blocked)",
        rf"{_WRONG_SECRET}(?!:| (?:in|for|of|to|type|size|length|format|value|name|exchange)\b)",
        r"(?:subscription|plan|trial|licen[cs]e|lease|key|ticket|link|code|invite) (?:has |is )?expired",
        r"(?:insufficient|not enough|no|out of) (?:credits?|funds|balance)",
    ),
    Topic.PROTOCOL: any_of(
        r"(?:sub-?)?protocol", r"invalid \w+", r"not (?:a )?valid", r"unsupported",
        r"not (?:implemented|supported)",
    ),
    Topic.SESSION_OVER: any_of(
        r"^expired\W*$",
        r"session (?:has |is |was )?(?:ended|over|limit)",
        # Of a turn, a game, an exam.
        r"time (?:limit|exceeded|reached|is over)",
    ),
    Topic.UPSTREAM: any_of(
        r"backend", r"proxy", r"connection (?:refused|reset)", r"econn\w+", r"broken pipe", r"dial",
        r"unexpected eof",
    ),
    Topic.OVERLOAD: any_of(
        r"capacity", r"busy", r"(?:server|room|lobby) (?:is )?full",
        # HTTP's words for 503, and gRPC's for UNAVAILABLE.
        r"^(?:503 |the )?(?:server|service) (?:is )?(?:currently |temporarily )?unavailable",
    ),
}  # fmt: skip
# Phrases in which a word of a topic means something else: tokens of a parser or of a language model, pings
# that come too often, a client that is to be restarted.
OTHERWISE: dict[Topic, re.Pattern[str]] = {
    Topic.SETUP: any_of(_NOT_OURS),
    Topic.TIMEOUT: any_of(
        # "Lock: timeout" is one of the lock; "no response: timeout" may be one of this connection.
        r"(?:(?:database|db|query|sql|redis|execution|model|tool|function|operation|task|job|lock|storage)\W+|"
        r"(?:response|processing|acks?) )(?:\w+ )?(?:time[- ]?out|timed[- ]?out|deadline)",
        r"deadline (?:has )?(?:expired|exceeded) before", _KILLED,
    ),
    Topic.SLOW: any_of(
        rf"(?:server|service|backend) (?:\w+ ){{0,6}}{_UNABLE} keep(?:ing)? up",
        rf"(?:kafka|upstream|backend|database|redis) {_TAKER}",
        r"(?:input|incoming|inbound|receive|read) (?:\w+ )?(?:buffer|queue)\w*",
    ),
    Topic.KEEPALIVE: any_of(
        rf"(?<!missed )(?<!missing )(?<!lost )(?<!failed )(?<!skipped )(?<!dropped )too many {_BEAT}",
        rf"{_BEAT} frames? (?:too|size|length|payload)",
        rf"{_BEAT} (?:rate|flood\w*|payload|less often|too (?:large|long))", _OFTEN_ASKED,
        rf"(?:invalid|unexpected|unsolicited|over-?sized) {_BEAT}", r"pong without (?:a )?ping", *REFUSED,
        # One that could not be sent on a connection that was over.
        _HANDLED, rf"(?<!\bnot )(?:send|writ)(?:e|ing)? (?:an? )?{_BEAT}(?: \w+)?(?: failed)?: .{{0,60}}"
        r"(?:closed|broken|reset by)",
    ),
    Topic.RATE: any_of(
        r"(?:sample|sampling|frame|bit|baud|exchange|interest|refresh|error|heart|fx) rates?",
        rf"too many {_WAITING}", r"too many messages (?:queued|pending|buffered)",
        rf"too many {_SPOILT}", rf"{_NOT_THERE} too many {_BEAT}", rf"too many {_NOT_THERE} {_BEAT}",
        rf"too many {_AT_ONCE} log-?ins",
    ),
    # What an application makes smaller, or its program finds invalid (Go, .NET), is none of the connection's.
    Topic.PROTOCOL: any_of(
        rf"{_PICTURE}\W+{_CODING}", _HANDLED, r"invalid (?:operation|cast|state) (?:error|exception)",
        r"invalid (?:memory|pointer|cors request)",
    ),
    Topic.ERROR: any_of(r"(?:no|0|without(?: an?)?) (?:errors?|exceptions?|fail(?:ed|ures?))"),
    Topic.OVERLOAD: any_of(r"(?:audio|input|colou?r) channels?", _TIME_LIMIT),  # Of sound, and of pictures.
    Topic.DUPLICATE: any_of(r"duplicat\w* (?:message|request|packet|frame|nonce|order)s?"),
    Topic.SIZE: any_of(
        r"(?:queue|buffer|backlog|window|batch|pool|room|group|context) (?:size|length)",
        rf"{_LASTING} length", rf"max\w* (?:\w+ )?length of {_TIME}",
        r"control frames? (?:is |was )?too (?:big|large|long)", r"control frame",
        r"(?:skew|drift|offset|difference|time-?stamp|delay|gap|sequence|nonce|interval) (?:is )?"
        r"too (?:big|large|long)",
    ),
    Topic.SESSION_OVER: any_of(
        r"(?:response|processing|execution|request|query|build|startup|setup|cpu) (?:duration|time)\w*",
    ),
    Topic.RESTART: any_of(
        r"(?:database|db|schema|data) migrat\w*",
        # Apache's words for any 503.
        r"maintenance downtime or capacity problems",
        r"(?:client|app|browser|page|you) (?:must|should|has to|have to|needs? to) re-?(?:start|load)",
        r"(?:client|app|browser|page) re-?(?:start|load) (?:is )?(?:required|needed|necessary)",
        # MySQL, of a lock; Azure's OpenAI, where there is no such model.
        r"try restarting transaction", r"deployment (?:\w+ ){0,4}not (?:exist|found)",
        r"re-?(?:start|load) (?:your|(?:the |this )?(?:client|app|page|browser|session|stream|call)\b)",
        rf"{_STOPS} (?:of )?(?:(?!all )\w+ ){{0,2}}{_PART}"
        rf"(?! (?:is |was )?{_GONE}| {_HOST})",
        rf"{_PART}(?: ?[^\s\d]{{0,40}}\d\S{{0,40}})?:? (?:is |was |has |been |being )*{_STOPS}",
        # Who has exited sends no close frame: it is a child's, a command's, a shell's.
        r"(?:process|command|container|shell) (?:\w+ )?(?:exited|terminated|finished)"
        r"(?:\W*\d+| with (?:exit )?(?:code|status))", r"terminal process \w+",
        # Of a process of Erlang's, of which each connection has one.
        r"(?:exit|stop)\)\W+shutdown", r"terminated: \{:shutdown",
        # Daphne, of a handler whose connection had ended.
        r"took too long to shut[- ]?down",
    ),
    Topic.TOKEN: any_of(
        _NOT_OURS,
        # Apache's words for any 403.
        r"permission to access (?:this resource|\S+ on this server)",
        # Who has logged in already, or was connected for that alone.
        rf"(?:already|success\w*) {_LOGIN}", rf"{_LOGIN} (?:was |is |has )?(?:succe\w+|completed?)",
        r"(?:auth\w*|token|credentials?) (?:service|server|backend|provider)",
        rf"{_FORMS} (?:\w+ )?(?:is |are )?not allowed",
        r"unexpected token", r"(?:max\w*|context|too many|input|output|\d+) tokens?",
        r"tokens? (?:limit|quota|per|count|buckets?)",
    ),
}  # fmt: skip
