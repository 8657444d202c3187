"""Answers that nobody can hear as they were meant: silent among others, or sent twice."""

import pytest

from pytest_wsstability.core.voice.answer_sound import AnswerSounds


def sounds(*answers):
    """Those of a word for each answer: equal letters are equal chunks, ``.`` is silence."""
    made = AnswerSounds()
    for number, chunks in enumerate(answers, 1):
        for each in chunks:
            made.chunk(number, each.encode(), heard=each != ".")
    return made


@pytest.mark.parametrize(
    ("answers", "silent"),
    [
        (["abc", "...", "abc"], [2]),
        (["abc", "..b"], []),
        # Where nothing is ever heard, that may be meant so.
        (["...", "..."], []),
        (["abc", ""], []),
    ],
)
def test_an_answer_is_silent_where_others_are_not(answers, silent):
    made = sounds(*answers)

    assert [number for number, _ in enumerate(answers, 1) if made.is_silent(number)] == silent


LETTERS = "abcdefghijklmnop"


def each(times, letters=LETTERS):
    return "".join(letter * times for letter in letters)


@pytest.mark.parametrize(
    ("answers", "doubled"),
    [
        ([each(1)], {}),
        ([each(2)], {1: 16}),
        ([each(1), each(2)], {2: 16}),
        # One that is cut, and two that came once.
        ([each(2)[:-1] + "xy"], {1: 15}),
        # Ten of them in all are no chance.
        ([each(2, LETTERS[:10])], {1: 10}),
        ([each(2, LETTERS[:9])], {}),
        ([each(2, LETTERS[:6]), each(2, LETTERS[6:10])], {1: 6, 2: 4}),
        # Of more than two equal ones in a row nobody says that they came twice: a tone, or a fake.
        (["a" * 400], {}),
        ([each(3)], {}),
        # A third of them.
        ([each(2) + each(1, LETTERS[:15])], {1: 16}),
        ([each(2) + each(1)], {}),
        (["aa"] * 20, {}),
        ([each(2, "." * 16)], {}),
        (["ab" * 20], {}),
        # Silence between them does not count.
        ([each(2) + "." * 99], {1: 16}),
    ],
)
def test_an_answer_came_twice_if_each_chunk_did(answers, doubled):
    """Two in a row that are the same, where others are not."""
    assert sounds(*answers).doubled == doubled


@pytest.mark.parametrize(
    ("answers", "more", "doubled"),
    [
        (["ab", "cde"], {1: ["ab"], 2: ["cde"]}, {1: 2, 2: 3}),
        # In other chunks.
        (["ab", "cde"], {1: ["ab"], 2: ["c", "de"]}, {1: 2, 2: 3}),
        # A word more, or less; or something else.
        (["ab", "cde"], {1: ["ab"], 2: ["cdef"]}, {}),
        (["ab", "cde"], {1: ["ab"], 2: ["cd"]}, {}),
        (["ab", "cde"], {1: ["ab"], 2: ["still there?"]}, {}),
        # An agent may ask again.
        (["ab", "cde"], {1: ["ab"]}, {}),
        # Of a fake all answers are the same.
        (["ab", "ab"], {1: ["ab"], 2: ["ab"]}, {}),
        # The last that was said behind an answer counts, and silence in it does not.
        (["ab", "c.de"], {1: ["ab"], 2: ["cde"]}, {1: 2, 2: 3}),
        (["", "cde"], {1: ["ab"], 2: ["cde"]}, {}),
    ],
)
def test_answers_came_twice_behind_which_the_same_was_said(answers, more, doubled):
    """Two of them, which differ."""
    made = sounds(*answers)
    for number, chunks in more.items():
        for index, data in enumerate(chunks):
            made.more(number, data.encode(), opens=index == 0)

    assert made.doubled == doubled


def test_what_was_said_last_behind_an_answer_is_compared():
    """Each utterance is one of its own."""
    made = sounds("ab", "cde")
    for said in ("ab", "cde"):
        made.more(1, said.encode(), opens=True)
        made.more(2, said.encode(), opens=True)

    assert made.doubled == {}
