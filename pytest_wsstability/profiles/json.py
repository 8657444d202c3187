"""
JSON text messages, and heartbeats that the client sends: the protocol of voice agents' pages.

Server: ``connection_established``. Client: ``session_info`` with its ``session_id``. Server:
``session_confirmed``. Then the client's ``ping`` is answered with ``pong``.

Speech goes up as ``audio`` in frames of 20 ms (16 bit, 16 kHz, base64) until ``speech_end``; ``transcript``,
``token`` and ``audio`` come back until ``turn_end``, or ``interrupted`` where the user speaks over it.

"""

from __future__ import annotations

from .audio import Audio
from .placeholders import AUDIO, NUMBER, SESSION_ID, TEXT, TURN
from .profile import Profile

JSON = Profile(
    name="json",
    title="JSON messages",
    greeting={"type": "connection_established"},
    session_info={"type": "session_info", "session_id": SESSION_ID},
    session_confirmed={"type": "session_confirmed", "session_id": SESSION_ID},
    ping={"type": "ping"},
    pong={"type": "pong"},
    sequence="seq",
    audio=Audio(
        speech={"type": "audio", "audio": AUDIO},
        speech_end={"type": "speech_end"},
        partial={"type": "transcript", "final": False, "turn": TURN, "text": TEXT},
        final={"type": "transcript", "final": True, "turn": TURN, "text": TEXT},
        token={"type": "token", "turn": TURN, "text": TEXT},
        answer={"type": "audio", "session_id": SESSION_ID, "turn": TURN, "seq": NUMBER, "audio": AUDIO},
        answer_end={"type": "turn_end", "turn": TURN},
        interrupted={"type": "interrupted", "turn": TURN},
    ),
)
