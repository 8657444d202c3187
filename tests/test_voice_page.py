"""docs/voice.md: its table of causes is made, its keywords exist, and its player is the plugin's."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess

import pytest

from pytest_wsstability import voice
from pytest_wsstability.core.voice.playout import Playout
from pytest_wsstability.core.voice.requirement import VoiceKeywords
from pytest_wsstability.core.voice.script import ScriptKeywords
from pytest_wsstability.core.voice.stage_faults import StageFault
from tests.voice_page import PAGE, renewed

TEXT = PAGE.read_text()
PLAYER = re.search(r"```javascript\n(.*?)```", TEXT, re.DOTALL)[1]
ROWS = [
    tuple(int(number) / 1000 for number in found)
    for found in re.findall(r"^\| (\d+) ms \| (\d+) ms \| (\d+) ms \| (\d+) ms \|", TEXT, re.MULTILINE)
]


def streams(count=500):
    """Chunks of 10 to 200 ms at 0 to 300 ms from each other, in whole milliseconds."""
    dice = random.Random(7)
    for _ in range(count):
        prebuffer, at, chunks = dice.choice([0, 40, 60, 200]), 0, []
        for _ in range(dice.randint(1, 40)):
            chunks.append((at, dice.choice([10, 20, 40, 200])))
            at += dice.choice([0, 5, 20, 40, 100, 300])
        yield prebuffer, chunks


def ours(prebuffer, chunks):
    playout = Playout(prebuffer=prebuffer / 1000)
    for at, milliseconds in chunks:
        playout.chunk(at / 1000, milliseconds / 1000)
    return [(round(each.at * 1000), round(each.seconds * 1000)) for each in playout.underruns]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node")
def test_the_player_of_the_page_is_the_one_that_is_modelled():
    """The class of the page itself, run by node, on 500 random streams: the same underruns, each."""
    program = (
        PLAYER
        + """
        const read = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        console.log(JSON.stringify(read.map(([prebuffer, chunks]) => {
          const player = new Player(prebuffer / 1000);
          for (const [at, ms] of chunks) player.chunk(at / 1000, ms / 1000);
          return player.underruns
            .map((dry) => [Math.round(dry.at * 1000), Math.round(dry.seconds * 1000)])
            .filter(([, ms]) => ms > 0);
        })));
    """
    )
    cases = list(streams())
    found = subprocess.run(
        ["node", "-e", program],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    theirs = [[tuple(dry) for dry in each] for each in json.loads(found.stdout)]
    assert theirs == [ours(*case) for case in cases]
    assert sum(map(len, theirs)) > 500


def test_the_arithmetic_of_the_table():
    """Each row: when the chunk comes, how long it is, when it starts, when the player is dry."""
    playout = Playout()
    for at, seconds, starts, dry in ROWS:
        playout.chunk(at, seconds)
        assert playout.dry_at == pytest.approx(dry)
        assert starts == pytest.approx(dry - seconds)

    assert len(ROWS) == 4
    assert [(each.at, round(each.seconds, 3)) for each in playout.underruns] == [(pytest.approx(0.2), 0.05)]
    assert playout.waiting(0.25) == pytest.approx(0.04)


def test_the_table_of_causes_is_made():
    """`python -m tests.voice_page` writes it."""
    assert renewed(TEXT) == TEXT
    assert "| a stage of the voice pipeline that is slow |" in TEXT


def test_every_keyword_is_on_the_page():
    """Of the conversation, and of the script; and no other."""
    head, _, rest = TEXT.partition("## What can be asked")
    table = rest.partition("## What a failure says")[0]
    named = {name for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in _code(cell)}

    valid = {*VoiceKeywords.__annotations__, *ScriptKeywords.__annotations__}
    assert named - {"ws_voice"} == valid
    assert head


def test_every_fault_of_a_stage_is_on_the_page():
    faults = {each.__name__ for each in StageFault.__subclasses__()}
    table = TEXT.partition("| fault of a stage |")[2].partition("<!-- causes -->")[0]
    named = {name for cell in re.findall(r"^\| (.*?) \|", table, re.MULTILINE) for name in _code(cell)}

    assert named == faults
    assert faults <= set(voice.__all__)


def _code(cell):
    return re.findall(r"`(\w+)", cell)
