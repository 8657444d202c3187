"""Fragments become messages, and messages wait for `recv` in a queue that knows when it is full."""

import asyncio

import pytest

from pytest_wsstability.net.inbox import MAX_BYTES, Assembly, Inbox

pytestmark = pytest.mark.ws_stability


@pytest.mark.parametrize(
    "fragments", [["a"], ["a", "b", "c"], ["", "a", ""], ["", ""]], ids=lambda each: repr("|".join(each))
)
def test_fragments_of_text_become_text(fragments):
    """The last one completes it."""
    assembly = Assembly(text=True)
    parts = [
        assembly.add(fragment.encode(), fin=index == len(fragments) - 1)
        for index, fragment in enumerate(fragments)
    ]

    assert parts == [None] * (len(fragments) - 1) + ["".join(fragments)]


def test_fragments_of_bytes_become_bytes():
    """Any buffer will do, and may change afterwards."""
    assembly, buffer = Assembly(text=False), bytearray(b"\xff")
    assert assembly.add(buffer, fin=False) is None
    buffer[:] = b"\x00"
    assert assembly.add(memoryview(b"\xfe"), fin=True) == b"\xff\xfe"


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_character_in_two_pieces_is_one(cut):
    """Four bytes of UTF-8."""
    data = "𝄞".encode()
    assembly = Assembly(text=True)
    assert assembly.add(data[:cut], fin=False) is None

    assert assembly.add(data[cut:], fin=True) == "𝄞"


@pytest.mark.parametrize(
    "fragments", [[b"\xff"], [b"a", b"\xff"], [b"\xe2\x82", b"a"], [b"\xe2", b""], [b"\xed\xa0\x80"]]
)
def test_text_that_is_not_utf8_is_seen_at_once(fragments):
    """In the fragment that shows it, or at the end."""
    assembly = Assembly(text=True)
    for fragment in fragments[:-1]:
        assert assembly.add(fragment, fin=False) is None
    with pytest.raises(UnicodeDecodeError):
        assembly.add(fragments[-1], fin=True)


def test_first_in_first_out():
    """Messages keep their order."""
    inbox = Inbox(10)
    for message in ("a", b"b", "c"):
        assert inbox.put(message)

    assert [inbox.take() for _ in range(3)] == ["a", b"b", "c"]
    assert len(inbox) == 0


@pytest.mark.parametrize(("limit", "low_at"), [(1, 0), (2, 1), (3, 1), (10, 5)])
def test_it_is_full_at_its_limit_and_low_at_half_of_it(limit, low_at):
    """Reading stops at one and goes on at the other, so that it does not flutter."""
    inbox = Inbox(limit)
    states = []
    for number in range(limit):
        assert not inbox.full
        inbox.put(str(number))
    assert inbox.full
    while len(inbox):
        states.append((len(inbox), inbox.low))
        inbox.take()

    assert [size for size, low in states if low] == [size for size, _ in states if size <= low_at]
    assert inbox.low


def test_bytes_fill_it_too():
    """4 MiB, however few messages they are."""
    inbox = Inbox(1000)
    inbox.put(b"x" * (MAX_BYTES - 1))
    assert not inbox.full
    inbox.put("x")
    assert inbox.full
    inbox.take()
    assert (inbox.full, inbox.low) == (False, True)


def test_it_never_holds_more_than_twice_its_bytes():
    """What comes with the end of the stream comes after reading has stopped; deflate makes it large."""
    inbox = Inbox(1000)
    assert [inbox.put(b"x" * MAX_BYTES) for _ in range(3)] == [True, True, False]
    inbox.take()
    assert inbox.put(b"x")


def test_an_inbox_of_nothing_keeps_nothing():
    """And says so."""
    inbox = Inbox(0)

    assert inbox.put("a") is False
    assert len(inbox) == 0


async def test_a_message_wakes_the_one_who_waits():
    """And so does the end, with nothing in it."""
    inbox = Inbox(10)
    for wake in (lambda: inbox.put("a"), inbox.release):
        waiting = asyncio.create_task(inbox.wait(asyncio.get_running_loop()))
        await asyncio.sleep(0)
        wake()
        await waiting


async def test_one_waits_at_a_time():
    """Who would get the message?"""
    inbox, loop = Inbox(10), asyncio.get_running_loop()
    waiting = asyncio.create_task(inbox.wait(loop))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match=r"^recv\(\) is already waiting in another task$"):
        await inbox.wait(loop)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    inbox.put("a")
    inbox.release()
