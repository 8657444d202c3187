"""Each fault of the link, over each carrier: the same story, with the same codes and times."""

import asyncio
import statistics

import pytest

from pytest_wsstability import FaultProxy, Orchestrator, run_virtual
from pytest_wsstability.core.faults import (
    Bandwidth,
    Blackhole,
    CutAfter,
    CutAt,
    Drop,
    DropControlFrames,
    EndsWith,
    HalfClose,
    Heal,
    IdleTimeout,
    Latency,
    MaxAge,
    Program,
    Reset,
    Slicer,
    Stall,
)
from tests.net.peers import opened
from tests.net.ways import LINK, PROXY, REAL, tell, told

# Seconds at which most faults are due: between a ping at 0.5 and a heartbeat at 0.6.
AT = 0.55
# A second of these stories lasts so many on kernel sockets, where a busy machine must not decide.
UNIT = 2.0

# Later than this, the deadlines of the stories are a matter of luck.
LAG = 0.1

ALIVE = (None, None)
FIN, RST = (1006, "FIN"), (1006, "RESET")
# The orchestrator's own read deadline of 0.41 s, which only pongs reset; the last came at 0.5 s.
GAVE_UP = (1006, "ABORTED")

# By name: the program, how the client and the server saw the end, at which ages, and the slowest heartbeat.
STORIES = {
    "drop": (lambda s: [(AT * s, Drop())], FIN, FIN, 0.55, 0.55, 0.0),
    "reset": (lambda s: [(AT * s, Reset())], RST, RST, 0.55, 0.55, 0.0),
    "blackhole": (lambda s: [(AT * s, Blackhole())], ALIVE, GAVE_UP, None, 0.91, 0.0),
    "blackhole upstream": (lambda s: [(AT * s, Blackhole("upstream"))], FIN, GAVE_UP, 0.91, 0.91, 0.0),
    "blackhole downstream": (lambda s: [(AT * s, Blackhole("downstream"))], ALIVE, GAVE_UP, None, 0.91, 0.0),
    # TCP loses nothing: the heartbeat of 0.6 s is answered at 0.7 s.
    "heal": (lambda s: [(AT * s, Blackhole()), (0.7 * s, Heal())], ALIVE, ALIVE, None, None, 0.1),
    "stall": (lambda s: [(AT * s, Stall(0.15 * s))], ALIVE, ALIVE, None, None, 0.1),
    "end behind a black hole": (
        lambda s: [(AT * s, Blackhole()), (0.6 * s, Drop()), (0.7 * s, Heal())], FIN, FIN, 0.7, 0.7, 0.0,
    ),
    "latency": (lambda s: [Latency(0.05 * s)], ALIVE, ALIVE, None, None, 0.1),
    # 21 bytes there and 17 back.
    "bandwidth": (lambda s: [(AT * s, Bandwidth(400 / s))], ALIVE, ALIVE, None, None, 0.095),
    "slicer": (lambda s: [Slicer(1)], ALIVE, ALIVE, None, None, 0.0),
    # Five pieces there and four back, of which the first comes at once.
    "slicer with pauses": (lambda s: [(AT * s, Slicer(5, delay=0.01 * s))], ALIVE, ALIVE, None, None, 0.07),
    "cut after": (lambda s: [(AT * s, CutAfter(3, direction="upstream"))], FIN, FIN, 0.6, 0.6, 0.0),
    "cut at": (lambda s: [CutAt(AT * s)], FIN, FIN, 0.55, 0.55, 0.0),
    "half close downstream": (lambda s: [(AT * s, HalfClose("downstream"))], FIN, FIN, 0.55, 0.55, 0.0),
    "half close upstream": (lambda s: [(AT * s, HalfClose("upstream"))], FIN, FIN, 0.55, 0.55, 0.0),
    "no pings": (lambda s: [DropControlFrames("ping")], FIN, GAVE_UP, 0.41, 0.41, 0.0),
    "no pongs": (lambda s: [DropControlFrames("pong", direction="upstream")], FIN, GAVE_UP, 0.41, 0.41, 0.0),
    "idle": (lambda s: [IdleTimeout(0.15 * s)], FIN, FIN, 0.15, 0.15, None),
    "not idle": (lambda s: [IdleTimeout(0.4 * s)], ALIVE, ALIVE, None, None, 0.0),
    "idle, then RST": (lambda s: [IdleTimeout(0.15 * s, ends_with="reset")], RST, RST, 0.15, 0.15, None),
    # The server pings at 0.25 s, the client sends a heartbeat at 0.3 s.
    "idle, then silence": (lambda s: [IdleTimeout(0.15 * s, ends_with="silence")], RST, RST, 0.3, 0.25, None),
    "idle, then nothing": (
        lambda s: [IdleTimeout(0.15 * s, ends_with="blackhole")], ALIVE, GAVE_UP, None, 0.41, None,
    ),
    "age": (lambda s: [MaxAge(AT * s)], FIN, FIN, 0.55, 0.55, 0.0),
    "age, then silence": (lambda s: [MaxAge(AT * s, ends_with="silence")], RST, RST, 0.6, 0.75, 0.0),
}  # fmt: skip
each_story = pytest.mark.parametrize("name", STORIES)
# Seen on kernel sockets since holds wait for open heartbeats: RST reaches the client half a second after the
# server has ended, though the way to the client is cut. Not understood yet.
NOT_UNDERSTOOD = "blackhole downstream"


def judged(story, name):
    """The ends of a story, as the table has them."""
    return (story.client.code, story.client.how), (story.server.code, story.server.how)


def test_each_link_fault_has_a_story():
    """No fault is left out, and no way to end."""
    from pytest_wsstability.core.faults.link import LINK_FAULTS

    steps = [step.fault for program, *_ in STORIES.values() for step in Program.of(program(1.0))]

    assert {type(fault) for fault in steps} == set(LINK_FAULTS)
    assert {fault.ends_with for fault in steps if isinstance(fault, IdleTimeout)} == set(EndsWith)


@pytest.mark.parametrize("carrier", [LINK, PROXY])
@each_story
def test_story_in_virtual_time(carrier, name):
    """Codes, transports and times are those of the table, and each fault is applied at its exact instant."""
    program, client, server, client_at, server_at, slowest = STORIES[name]

    story = told(carrier, program(1.0))

    assert judged(story, name) == (client, server)
    assert story.client.at == (None if client_at is None else pytest.approx(client_at, abs=1e-9))
    assert story.server.at == (None if server_at is None else pytest.approx(server_at, abs=1e-9))
    assert story.slowest == (None if slowest is None else pytest.approx(slowest, abs=1e-9))
    assert [applied.lateness for applied in story.applied] == [0.0] * len(story.applied)


@pytest.mark.parametrize(("name", "client", "server"), [("cut after", False, True), ("drop", False, False)])
@pytest.mark.parametrize("carrier", [LINK, PROXY])
def test_cut_within_a_frame(carrier, name, client, server):
    """Who was cut off within a frame can tell."""
    story = told(carrier, STORIES[name][0](1.0))

    assert (story.client.mid_frame, story.server.mid_frame) == (client, server)


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def real_stories(request):
    """All stories at once on kernel sockets: they wait most of the time. Again if the loop was held up."""
    factory = None if request.param == "asyncio" else pytest.importorskip("uvloop").new_event_loop

    async def tell_all():
        return await asyncio.gather(
            *(tell(REAL, program(UNIT), unit=UNIT) for program, *_ in STORIES.values())
        )

    for _ in range(3):
        with asyncio.Runner(loop_factory=factory) as runner:
            stories = runner.run(tell_all())
        if max(story.lag for story in stories) < LAG:
            return dict(zip(STORIES, stories, strict=True))
    pytest.skip(f"the event loop was more than {LAG} s late in each of three runs")


@pytest.mark.real
@each_story
def test_story_on_kernel_sockets(real_stories, name):
    """The codes and transports are those of virtual time; nothing is applied before its time."""
    if name == NOT_UNDERSTOOD:
        pytest.xfail("RST reaches the client through a way that is cut")
    program, client, server, *_ = STORIES[name]
    story = real_stories[name]
    virtual = told(PROXY, program(UNIT), unit=UNIT)

    assert judged(story, name) == (client, server)
    assert story.client.mid_frame == virtual.client.mid_frame
    assert [applied.fault for applied in story.applied] == [applied.fault for applied in virtual.applied]
    assert all(applied.lateness >= 0 for applied in story.applied)


@pytest.mark.real
def test_times_on_kernel_sockets(real_stories):
    """The ends come when they come in virtual time, within what a loop may lag at the median."""
    late = []
    for name, story in real_stories.items():
        if name == NOT_UNDERSTOOD:
            continue
        virtual = told(PROXY, STORIES[name][0](UNIT), unit=UNIT)
        for real, exact in [(story.client.at, virtual.client.at), (story.server.at, virtual.server.at)]:
            assert (real is None) == (exact is None), name
            if real is not None:
                late.append(abs(real - exact))

    assert len(late) > 30
    assert statistics.median(late) <= LAG


@pytest.mark.parametrize("carrier", [LINK, PROXY])
def test_jitter_is_reproducible(carrier):
    """The same seed gives the same times over both carriers; another seed gives others."""
    program = [Latency("50ms", jitter="20ms")]
    seeded = [told(LINK, Program.of(program, seed=seed)).slowest for seed in (0, 0, 1)]

    assert told(carrier, Program.of(program, seed=0)).slowest == seeded[0] == seeded[1] != seeded[2]
    assert 0.06 < seeded[0] < 0.14


def test_messages_reset_what_only_messages_reset():
    """Pings every 0.25 s keep no box awake that counts messages; heartbeats every 0.3 s do."""
    kept = told(LINK, [IdleTimeout(0.31, reset_by="data")])
    killed = told(LINK, [IdleTimeout(0.31, reset_by="data")], heartbeat=0.9)

    assert kept.client.code is None
    assert (killed.client.code, killed.client.at) == (1006, pytest.approx(0.31))


@pytest.mark.parametrize(
    ("reset_by", "heartbeat", "ended_at"),
    [
        # Pings come downstream every 0.25 s, pongs go upstream; without heartbeats both have gaps of 0.25 s.
        ("any", 0.9, None),
        ("upstream", 0.9, None),
        ("downstream", 0.9, None),
        ("each", 0.9, None),
        ("data", 0.9, 0.26),
    ],
)
def test_directions_have_their_own_silence(reset_by, heartbeat, ended_at):
    """What resets the timer decides who lives."""
    story = told(LINK, [IdleTimeout(0.26, reset_by=reset_by)], heartbeat=heartbeat)

    assert story.client.at == (None if ended_at is None else pytest.approx(ended_at))


@pytest.mark.parametrize(
    ("reset_by", "lives"), [("any", True), ("upstream", True), ("downstream", False), ("each", False)]
)
def test_one_sided_traffic(reset_by, lives):
    """A client that talks to a server that never answers keeps some boxes awake and others not."""
    mute = {"ping_interval": None, "read_deadline": None, "answer_heartbeats": False}

    story = told(LINK, [IdleTimeout(0.35, reset_by=reset_by)], server=mute)

    assert (story.client.code is None) == lives


def waits(seed):
    """Round trips of the first heartbeats of two connections over a link with jitter."""

    async def script():
        program = Program.of(Latency("100ms", jitter="50ms"), seed=seed)
        async with (
            Orchestrator() as orchestrator,
            FaultProxy(orchestrator.url, faults=program) as proxy,
            opened(proxy.url) as one,
            opened(proxy.url) as other,
        ):
            return [[round(await each.ping(), 6) for _ in range(5)] for each in (one, other)]

    return run_virtual(script())


def test_each_connection_has_a_jitter_of_its_own():
    """The program's seed decides all of them, and no two are alike."""
    one, other = waits(7)

    assert len({*one, *other}) == 10
    assert waits(7) == [one, other]
    assert waits(8) != [one, other]
