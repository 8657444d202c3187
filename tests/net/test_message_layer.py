"""The messages of a connection, over frames that are none: no socket, no peer."""

import asyncio

import pytest

from pytest_wsstability import End, run_virtual
from pytest_wsstability.core.timeline.events import Opcode, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.timeline import Timeline
from pytest_wsstability.net.ending import Phase
from pytest_wsstability.net.messages import MessageLayer
from pytest_wsstability.net.waiters import Wait
from pytest_wsstability.profiles import JSON, Conversation

TEXT = int(Opcode.TEXT)


class Carrier:
    """Frames as the messages see them; also their role, which says at once what the conversation wants."""

    def __init__(self, *, inbox=2, interval=None):
        self.timeline, self.phase = Timeline(End.CLIENT), Phase.OPEN
        self.is_open, self.is_over, self.awaits_close = True, False, False
        self.written, self.woken, self.heard, self.reading = [], [], [], True
        conversation = Conversation(JSON, End.CLIENT, session_id="a", interval=interval)
        loop = asyncio.get_running_loop()
        self.messages = MessageLayer(self, self, conversation, loop=loop, inbox=inbox)

    def write_message(self, now, payload, role, key):
        self.written.append(role)

    def wake(self, what):
        self.woken.append(what)

    def pause_reading(self):
        self.reading = False

    def resume_reading(self):
        self.reading = True

    def ended_error(self):
        return ConnectionError("over")

    def received(self, websocket, now, opcode, role, key):
        self.heard.append(role)

    def message(self, websocket, heard):
        self.heard.append(heard.role)

    def unexpected_message(self, websocket, payload):
        self.heard.append(payload)

    def say(self, websocket, say):
        self.messages.say(say)

    def turn(self, websocket):
        self.messages.take_turn()

    def hear(self, text):
        self.messages.message(0.0, TEXT, len(text), text)


async def after(seconds, carrier):
    carrier.messages.begin()
    await asyncio.sleep(seconds)
    return carrier.written


def test_the_conversation_is_asked_at_its_instants():
    """A heartbeat each 25 s, until the connection is gone."""

    async def main():
        carrier = Carrier(interval=25)
        assert await after(51, carrier) == [Role.HEARTBEAT, Role.HEARTBEAT]
        carrier.messages.ended()
        await asyncio.sleep(100)
        return carrier.written[2:]

    assert run_virtual(main()) == []


@pytest.mark.parametrize(("until", "beats"), [(75.0, 2), (75.1, 3)])
def test_no_heartbeat_begins_at_the_end_of_the_last_hold(until, beats):
    """The answer would come after it. A shorter hold that ends in between changes nothing."""

    async def main():
        carrier = Carrier(interval=25)
        carrier.messages.begin_hold(until)
        carrier.messages.begin_hold(30.0)
        carrier.messages.end_hold(30.0)
        return (await after(76, carrier)).count(Role.HEARTBEAT)

    assert run_virtual(main()) == beats


def test_a_full_inbox_pauses_reading_and_a_reader_resumes_it():
    """With one message left there is room again; what has no room at all is dropped, and counted."""

    async def main():
        carrier = Carrier(inbox=2)
        carrier.hear("one")
        assert carrier.reading
        carrier.hear("two")
        assert not carrier.reading
        carrier.awaits_close = True
        carrier.hear("three")
        assert carrier.timeline.dropped_reads == 1
        return [await carrier.messages.receive(), await carrier.messages.receive()]

    assert run_virtual(main()) == ["one", "two"]


def test_the_end_is_told_once_all_messages_are_taken():
    """And not before."""

    async def main():
        carrier = Carrier()
        carrier.hear("last")
        carrier.is_over, carrier.is_open = True, False
        assert await carrier.messages.receive() == "last"
        with pytest.raises(ConnectionError, match="over"):
            await carrier.messages.receive()

    run_virtual(main())


def test_who_waits_is_woken_by_what_came():
    """A confirmed session, an error, a flaw."""

    async def main():
        carrier = Carrier()
        carrier.messages.begin()
        carrier.hear('{"type": "session_confirmed", "session_id": "a"}')
        assert carrier.woken == [Wait.SESSION]
        carrier.messages.flawed(Flaw.UNEXPECTED, "why")
        return carrier.woken[1:]

    assert run_virtual(main()) == [Wait.FLAW]


def test_a_listener_may_keep_a_message_from_the_inbox():
    """It hears every message, and takes those that it answers True to."""

    async def main():
        carrier, heard = Carrier(inbox=9), []

        def listen(now, payload, role):
            heard.append((payload, role))
            return payload == "mine"

        carrier.messages.listener = listen
        carrier.hear("mine")
        carrier.hear("yours")
        assert heard == [("mine", Role.DATA), ("yours", Role.DATA)]
        return len(carrier.messages.inbox)

    assert run_virtual(main()) == 1


def test_nothing_is_said_where_no_message_can_be_sent():
    """A close frame that came in the same read has ended all sending."""

    async def main():
        carrier = Carrier()
        carrier.is_open = False
        return await after(1, carrier)

    assert run_virtual(main()) == []
