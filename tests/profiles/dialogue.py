"""Two conversations that talk to each other, without a wire and without waiting."""

from __future__ import annotations

from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.profiles import Conversation, HangUp

CLIENT, SERVER = End.CLIENT, End.SERVER


class Dialogue:
    """
    A client's conversation and a server's, and what was said.

    Attributes:
        client, server: the conversations.
        said: ``(instant, "C" or "S", message)`` in order.
        ended: ``(instant, name of the timer)`` once the server has hung up; None before.

    """

    def __init__(self, profile, *, mute=(), client=None, server=None):
        self.client = Conversation(profile, CLIENT, **{"session_id": "client-1", **(client or {})})
        self.server = Conversation(profile, SERVER, **{"session_id": "server-1", **(server or {})})
        self.now = 0.0
        self.said = []
        self.ended = None
        # Roles that the client keeps back.
        self._mute = mute
        for say in self.server.opened(0.0):
            self._say(self.server, say)
        for say in self.client.opened(0.0):
            self._say(self.client, say)

    def _say(self, speaker, say):
        if speaker is self.client and say.role in self._mute:
            return
        message = speaker.write(say, self.now)
        self.said.append((self.now, "C" if speaker is self.client else "S", message))
        speaker.said(say, self.now)
        listener = self.server if speaker is self.client else self.client
        heard = listener.hear(message, self.now)
        for each in (heard, *heard.rest):
            for answer in listener.answer(each):
                self._say(listener, answer)

    def run(self, seconds):
        """Let so many seconds pass; gives the dialogue."""
        until = self.now + seconds
        while self.ended is None:
            due = [each for each in (self.client, self.server) if each.at is not None and each.at <= until]
            if not due:
                break
            speaker = min(due, key=lambda each: each.at)
            self.now = max(self.now, speaker.at)
            for act in speaker.due(self.now):
                if isinstance(act, HangUp):
                    self.ended = (self.now, act.timer.name)
                else:
                    self._say(speaker, act)
        self.now = until
        return self
