"""
What a peer sends, and what has to come of it: RFC 6455 case by case, in the order of the Autobahn suite.

Sections 1 to 7 are data. The numbers are Autobahn's, so that a case can be looked up; the cases are our own.

"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.net.peers import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame

# How the bytes are cut: all at once, a frame a write, or a byte a write.
WHOLE, FRAMES, OCTETS = "whole", "frames", "octets"

Sent = tuple[int, bytes, bool, int]
Got = tuple[int, bytes]

EURO = "Hello-µ@ßöäüàá-UTF-8!!".encode()
KOSME = "\u03ba\u1f79\u03c3\u03bc\u03b5".encode()


@dataclass(frozen=True)
class Case:
    """
    One case.

    Attributes:
        id: Autobahn's number.
        sent: frames as opcode, payload, FIN, reserved bits.
        got: messages and pongs that come back, in order. Before a failure fewer may come (NON-STRICT).
        close: the code of the close frame that comes back; None for a normal closure that the peer begins.
        cut: how the bytes are cut.

    """

    id: str
    sent: tuple[Sent, ...]
    got: tuple[Got, ...] = ()
    close: int | None = None
    cut: str = WHOLE

    def wire(self, *, masked: bool) -> list[bytes]:
        """The bytes, write by write."""
        frames = [frame(op, data, fin=fin, rsv=rsv, masked=masked) for op, data, fin, rsv in self.sent]
        whole = b"".join(frames)
        return {WHOLE: [whole], FRAMES: frames, OCTETS: [whole[at : at + 1] for at in range(len(whole))]}[
            self.cut
        ]


def f(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> Sent:
    return opcode, payload, fin, rsv


def _echo() -> Iterator[Case]:
    sizes = (0, 125, 126, 127, 128, 65_535, 65_536)
    for section, opcode, byte in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for number, size in enumerate(sizes, 1):
            yield Case(f"1.{section}.{number}", (f(opcode, byte * size),), ((opcode, byte * size),))
    for section, opcode, byte in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        yield Case(f"1.{section}.8", (f(opcode, byte * 997),), ((opcode, byte * 997),), cut=OCTETS)


def _pings() -> Iterator[Case]:
    for number, payload in enumerate(
        (b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125), 1
    ):
        yield Case(f"2.{number}", (f(PING, payload),), ((PONG, payload),))
    yield Case("2.5", (f(PING, b"\xfe" * 126),), close=1002)
    yield Case("2.6", (f(PING, b"\xfe" * 125),), ((PONG, b"\xfe" * 125),), cut=OCTETS)
    yield Case("2.7", (f(PONG),))
    yield Case("2.8", (f(PONG, b"unsolicited pong payload"),))
    yield Case("2.9", (f(PONG, b"unsolicited"), f(PING, b"ping payload")), ((PONG, b"ping payload"),))
    ten = tuple(b"payload-%d" % number for number in range(10))
    for number, cut in ((10, FRAMES), (11, OCTETS)):
        yield Case(
            f"2.{number}", tuple(f(PING, each) for each in ten), tuple((PONG, each) for each in ten), cut=cut
        )


def _reserved() -> Iterator[Case]:
    hello, after = f(TEXT, b"Hello, world!"), f(PING)
    came = ((TEXT, b"Hello, world!"),)
    yield Case("3.1", (f(TEXT, b"Hello", rsv=1),), close=1002)
    for number, (rsv, cut) in enumerate(((2, WHOLE), (3, FRAMES), (4, OCTETS)), 2):
        yield Case(f"3.{number}", (hello, f(TEXT, b"Hello", rsv=rsv), after), came, 1002, cut)
    for number, opcode in enumerate((BINARY, PING, CLOSE), 5):
        yield Case(
            f"3.{number}", (f(opcode, b"\x03\xe8" if opcode == CLOSE else b"x", rsv=number),), close=1002
        )
    for section, opcodes in ((1, range(3, 8)), (2, range(11, 16))):
        for number, opcode in enumerate(opcodes, 1):
            before, cut = ((hello,), (WHOLE, FRAMES, OCTETS)[number - 3]) if number > 2 else ((), WHOLE)
            payload = b"" if number % 2 else b"reserved opcode payload"
            yield Case(
                f"4.{section}.{number}",
                (*before, f(opcode, payload), after),
                came if before else (),
                1002,
                cut,
            )


def _fragments() -> Iterator[Case]:
    one, two = f(TEXT, b"fragment1", fin=False), f(CONT, b"fragment2")
    both, pong = (TEXT, b"fragment1fragment2"), (PONG, b"ping payload")
    ping, hello = f(PING, b"ping payload"), f(TEXT, b"Hello, world!")
    yield Case("5.1", (f(PING, b"fragment1", fin=False), two), close=1002)
    yield Case("5.2", (f(PONG, b"fragment1", fin=False), two), close=1002)
    for number, cut in ((3, WHOLE), (4, FRAMES), (5, OCTETS)):
        yield Case(f"5.{number}", (one, two), (both,), cut=cut)
    for number, cut in ((6, WHOLE), (7, FRAMES), (8, OCTETS)):
        yield Case(f"5.{number}", (one, ping, two), (pong, both), cut=cut)
    for base, fin in ((9, True), (12, False)):
        for offset, cut in enumerate((WHOLE, FRAMES, OCTETS)):
            stray = f(CONT, b"non-continuation payload", fin=fin)
            yield Case(f"5.{base + offset}", (stray, hello), (), 1002, cut)
    stray = f(CONT, b"fragment3", fin=False)
    yield Case("5.15", (one, two, stray, f(TEXT, b"fragment4")), (both,), 1002)
    for number, fin in ((16, False), (17, True)):
        yield Case(
            f"5.{number}", (f(CONT, b"fragment1", fin=fin), f(TEXT, b"fragment2", fin=False)) * 2, (), 1002
        )
    yield Case("5.18", (one, f(TEXT, b"fragment2")), (), 1002)
    five = (one, f(CONT, b"2", fin=False), ping, f(CONT, b"3", fin=False), f(CONT, b"4", fin=False), ping)
    for number, cut in ((19, WHOLE), (20, FRAMES)):
        yield Case(f"5.{number}", (*five, f(CONT, b"5")), (pong, pong, (TEXT, b"fragment12345")), cut=cut)


# Markus Kuhn's UTF-8 stress test, by Autobahn's sections: what is text and what is not.
VALID = {
    "6.5": (KOSME,),
    "6.6": tuple(KOSME[:end] for end in (2, 5, 7, 9, 11)),
    "6.7": (b"\x00", b"\xc2\x80", b"\xe0\xa0\x80", b"\xf0\x90\x80\x80"),
    "6.9": (b"\x7f", b"\xdf\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"),
    "6.11": (b"\xed\x9f\xbf", b"\xee\x80\x80", b"\xef\xbf\xbd", b"\xf4\x8f\xbf\xbf"),
    "6.22": tuple(chr(plane * 0x10000 + low).encode() for plane in range(17) for low in (0xFFFE, 0xFFFF)),
    "6.23": ("\ufffe\uffff\ufdd0\ufdef".encode(),),
}  # fmt: skip
INVALID = {
    "6.6": tuple(KOSME[:end] for end in (1, 3, 4, 6, 8, 10)),
    "6.8": (b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
    "6.10": (b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
    "6.11": (b"\xf4\x90\x80\x80",),
    "6.12": (
        *(b"\x80\xbf" * (length // 2) + b"\x80" * (length % 2) for length in range(1, 8)),
        bytes(range(0x80, 0xC0)),
    ),
    "6.13": (
        b" ".join(bytes([b]) for b in range(0xC0, 0xE0)), b" ".join(bytes([b]) for b in range(0xE0, 0xF0)),
        b" ".join(bytes([b]) for b in range(0xF0, 0xF8)), b"\xf8 \xf9 \xfa \xfb ", b"\xfc \xfd ",
    ),
    "6.14": (
        b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xf8\x80\x80\x80", b"\xfc\x80\x80\x80\x80",
        b"\xdf", b"\xef\xbf", b"\xf7\xbf\xbf", b"\xfb\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf",
    ),
    "6.15": (b"\xc0\xe0\x80\xf0\x80\x80\xdf\xef\xbf",),
    "6.16": (b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
    "6.17": (
        b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf",
        b"\xfc\x80\x80\x80\x80\xaf",
    ),
    "6.18": (
        b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf",
        b"\xfc\x83\xbf\xbf\xbf\xbf",
    ),
    "6.19": (
        b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80",
        b"\xfc\x80\x80\x80\x80\x80",
    ),
    "6.20": tuple(bytes([0xED, middle, last]) for middle, last in (
        (0xA0, 0x80), (0xAD, 0xBF), (0xAE, 0x80), (0xAF, 0xBF), (0xB0, 0x80), (0xBE, 0x80), (0xBF, 0xBF))),
    "6.21": tuple(
        b"\xed" + high + b"\xed" + low
        for high in (b"\xa0\x80", b"\xad\xbf", b"\xae\x80", b"\xaf\xbf") for low in (b"\xb0\x80", b"\xbf\xbf")
    ),
}  # fmt: skip


def _text() -> Iterator[Case]:
    yield Case("6.1.1", (f(TEXT),), ((TEXT, b""),))
    yield Case("6.1.2", (f(TEXT, fin=False), f(CONT, fin=False), f(CONT)), ((TEXT, b""),))
    yield Case("6.1.3", (f(TEXT, fin=False), f(CONT, b"middle", fin=False), f(CONT)), ((TEXT, b"middle"),))
    yield Case("6.2.1", (f(TEXT, EURO),), ((TEXT, EURO),))
    yield Case("6.2.2", (f(TEXT, EURO[:14], fin=False), f(CONT, EURO[14:])), ((TEXT, EURO),))
    single = [EURO[at : at + 1] for at in range(len(EURO))]
    letters = (f(TEXT, single[0], fin=False), *(f(CONT, each, fin=False) for each in single[1:]), f(CONT))
    yield Case("6.2.3", letters, ((TEXT, EURO),), cut=FRAMES)
    yield Case("6.2.4", letters, ((TEXT, EURO),), cut=OCTETS)
    bad = KOSME + b"\xed\xa0\x80" + b"edited"
    yield Case("6.3.1", (f(TEXT, bad),), close=1007)
    yield Case("6.3.2", tuple(
        f(TEXT if at == 0 else CONT, bad[at : at + 1], fin=at == len(bad) - 1) for at in range(len(bad))
    ), close=1007)  # fmt: skip
    # Section 8.1: a failure need not wait for the end of the message.
    for number, cut in enumerate((WHOLE, FRAMES, OCTETS, FRAMES), 1):
        sent = (f(TEXT, KOSME, fin=False), f(CONT, b"\xf4\x90\x80\x80", fin=False), f(CONT, b"edited"))
        yield Case(f"6.4.{number}", sent, close=1007, cut=cut)
    for section, texts in VALID.items():
        for number, text in enumerate(texts, 1):
            yield Case(f"{section}.{number}", (f(TEXT, text),), ((TEXT, text),))
    for section, texts in INVALID.items():
        for number, text in enumerate(texts, 1):
            yield Case(f"{section}.x{number}", (f(TEXT, text),), close=1007)


def _closing() -> Iterator[Case]:
    normal, hello = f(CLOSE, b"\x03\xe8"), f(TEXT, b"Hello World!")
    yield Case("7.1.1", (hello, normal), ((TEXT, b"Hello World!"),), 1000, FRAMES)
    yield Case("7.1.2", (normal, normal), (), 1000)
    yield Case("7.1.3", (normal, f(PING)), (), 1000)
    yield Case("7.1.4", (normal, hello), (), 1000)
    # A close frame within a message is a close frame (section 5.4).
    yield Case("7.1.5", (f(TEXT, b"fragment1", fin=False), normal, f(CONT, b"fragment2")), (), 1000)
    yield Case(
        "7.1.6", (f(TEXT, b"BAsd7&jh23" * 26_214), normal, f(PING)), ((TEXT, b"BAsd7&jh23" * 26_214),), 1000
    )
    yield Case("7.3.1", (f(CLOSE),), (), 1005)
    yield Case("7.3.2", (f(CLOSE, b"a"),), (), 1002)
    yield Case("7.3.3", (normal,), (), 1000)
    yield Case("7.3.4", (f(CLOSE, b"\x03\xe8Hello World!"),), (), 1000)
    yield Case("7.3.5", (f(CLOSE, b"\x03\xe8" + b"*" * 123),), (), 1000)
    yield Case("7.3.6", (f(CLOSE, b"\x03\xe8" + b"*" * 124),), (), 1002)
    yield Case("7.5.1", (f(CLOSE, b"\x03\xe8" + KOSME + b"\xed\xa0\x80edited"),), (), 1007)
    good = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    for number, code in enumerate(good, 1):
        yield Case(f"7.7.{number}", (f(CLOSE, code.to_bytes(2, "big")),), (), code)
    wrong = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)
    for number, code in enumerate(wrong, 1):
        yield Case(f"7.9.{number}", (f(CLOSE, code.to_bytes(2, "big")),), (), 1002)
    for number, code in enumerate((5000, 65_535), 1):
        yield Case(f"7.13.{number}", (f(CLOSE, code.to_bytes(2, "big")),), (), 1002)


_SECTIONS: tuple[Callable[[], Iterator[Case]], ...] = (_echo, _pings, _reserved, _fragments, _text, _closing)
CASES = [case for section in _SECTIONS for case in section()]
