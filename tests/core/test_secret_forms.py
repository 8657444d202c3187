"""Forms are found by their order, as they would be one by one."""

from __future__ import annotations

import random
import re

import pytest

from pytest_wsstability.core.secret_forms import SHORTEST, Forms, Mask

HEAD = "session-"


def known(*forms, alone=False):
    found = Forms()
    for form in forms:
        found.add(form, Mask(f"<{form}>", alone))
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # The longest that stands there, and a longer one that the end or a mark cuts short.
        ("session-12 ", [(0, 10, "session-12")]),
        ("session-123 ", [(0, 11, "session-123")]),
        ("session-1234 ", [(0, 11, "session-123")]),
        ("session-124 ", [(0, 10, "session-12")]),
        ("session-1 ", []),
        ("session-1", [(0, 9, "session-12")]),
        ("session-1...", [(0, 9, "session-12")]),
        ("session-1\u2026", [(0, 9, "session-12")]),
        ("session-1..", []),
        ("session-123", [(0, 11, "session-123")]),
        ("session-1239...", [(0, 12, "session-12399")]),
        ("session-1239", [(0, 12, "session-12399")]),
        ("session-1239x...", [(0, 11, "session-123")]),
        ("session-", [(0, 8, "session-12")]),
        ("session", []),
        ("a session-12, session-123.", [(2, 12, "session-12"), (14, 25, "session-123")]),
        ("session-0 ", []),
        ("session-9 ", []),
    ],
)
def test_what_begins_alike(text, found):
    forms = known("session-12", "session-123", "session-12399", "otherwise")

    assert [(start, end, mask[1:-1]) for start, end, mask in forms.find(text)] == found


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("password...abc.xyz!", 18), ("password...abc...", 14), ("password...abc\u2026", 14),
        ("password...ab", 13), ("password...abc.xy", 17), ("password...", 11), ("password...abx...", 8),
        ("password... that is none", 8), ("password.", 9), ("password.x", None),
    ],
)  # fmt: skip
def test_a_value_with_dots_of_its_own_is_cut_short_behind_them(text, end):
    """What looks like the place where somebody cut it may be a part of it."""
    forms = known("password...abc.xyz", "password\u2026")

    assert [span[1] for span in forms.find(text)] == ([] if end is None else [end])


@pytest.mark.parametrize("text", ["password...", "password...abc"])
def test_a_whole_value_that_begins_a_longer_one(text):
    """It is the longer one where that may go on."""
    forms = known("password", "password...a")

    assert [mask for _, _, mask in forms.find(text)] == ["<password...a>"]


def test_what_has_to_stand_alone_gives_way_to_a_shorter_one():
    forms = known("swordfishes", alone=True)
    forms.add("swordfish", Mask("<short>", alone=False))

    assert list(forms.find("swordfishes! swordfishesx")) == [(0, 11, "<swordfishes>"), (13, 22, "<short>")]


def test_forgotten_forms():
    """Of those that begin alike the others stay."""
    forms = known("session-12", "session-13", "otherwise")
    for form in ("session-12", "otherwise", "otherwise", "session-99"):
        forms.remove(form)

    assert [end for _, end, _ in forms.find("session-12 session-13 otherwise.")] == [21]
    forms.remove("session-13")
    assert not forms


def test_another_mask_of_a_form():
    forms = known("session-12")
    forms.add("session-12", Mask("<other>", alone=False))

    assert list(forms.find("session-12.")) == [(0, 10, "<other>")]


def one_by_one(forms, text):
    """The same without an order: each form at each place."""
    found, position = [], 0
    while position <= len(text) - SHORTEST:
        ends = [position + len(form) for form in forms if text.startswith(form, position)]
        for cut in (*(mark.start() for mark in re.finditer(r"\.\.\.", text)), len(text)):
            shown = text[position:cut]
            if len(shown) >= SHORTEST and any(form.startswith(shown) and form != shown for form in forms):
                ends.append(cut)
        if ends:
            found.append((position, max(ends)))
        position = max(ends, default=position + 1)
    return found


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))])
def test_found_as_one_by_one(seed):
    chosen = random.Random(seed)

    def word(least, most):
        return "".join(chosen.choices("ab", k=chosen.randint(least, most)))

    for _ in range(300):
        forms = {HEAD[: chosen.choice((0, 8))] + word(8, 14) for _ in range(chosen.randint(1, 12))}
        pieces = [*forms, *(each[:-2] for each in forms), word(1, 5), "...", " ", "session-"]
        text = "".join(chosen.choices(pieces, k=8))

        # In a long one, what they begin with is looked for.
        for shown in (text, " " * 400 + text):
            assert [span[:2] for span in known(*forms).find(shown)] == one_by_one(forms, shown)


class Counting(dict):
    asked = 0

    def __getitem__(self, key):
        self.asked += 1
        return super().__getitem__(key)


def test_thousands_that_begin_alike_cost_no_more_than_one():
    """The session ids of a fleet, or its JSON web tokens."""
    forms = known(*(f"session-{number:05}" for number in range(3000)))
    forms._masks = Counting(forms._masks)
    text = " ".join(f"session-{number:05}" for number in range(0, 3000, 100))

    assert len(list(forms.find(text))) == 30
    assert forms._masks.asked == 30
