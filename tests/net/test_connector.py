"""Connections with defaults: options merge, and all of them are closed in the end."""

import asyncio

import pytest

from pytest_wsstability import (
    Cause,
    Connector,
    OpeningError,
    Orchestrator,
    Requirement,
    StabilityError,
    diagnose,
)
from tests.net.peers import serving

pytestmark = pytest.mark.ws_stability


def connector_to(url, requirement=None, orchestrator=None, **options):
    return Connector(url, lambda target: options, requirement=requirement, orchestrator=orchestrator)


async def test_the_url_under_test_is_the_default():
    """Called with nothing; a URL of one's own takes its place."""
    async with Orchestrator() as one, Orchestrator() as two:
        connector = connector_to(one.url)
        assert (await connector()).url == one.url
        assert (await connector(two.url)).url == two.url
        await connector.close_all()


@pytest.mark.parametrize("url", [5, True, ["ws://a/"], {}])
async def test_a_url_that_is_no_text_is_refused(ws_connect, url):
    """By name, before the options of a test are chosen by it."""
    with pytest.raises(ValueError, match=r"^url: .*\(it is no text\); give ws:// or wss:// and a host$"):
        await ws_connect(url)


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [("/voice", "/voice?token=abc"), ("/voice?codec=opus", "/voice?token=abc&codec=opus")],
)
async def test_a_path_is_one_on_the_server_under_test(path, leads_to):
    """As in a mark; with the credentials of the URL, and its options."""
    asked = []
    async with Orchestrator() as orchestrator:
        connector = Connector(f"{orchestrator.url}chat?token=abc", lambda target: asked.append(target) or {})
        await connector(path)
        await connector.close_all()

        assert asked == [f"{orchestrator.url.rstrip('/')}{leads_to}"]


async def test_options_are_those_of_the_target_and_the_calls_win():
    """Credentials for one host, none for another; and what a call says stands."""
    asked = []

    def options_for(target):
        asked.append(target)
        return {"session_id": "default", "client": "mute"}

    async with Orchestrator() as orchestrator:
        connector = Connector(orchestrator.url, options_for)
        default, own = await connector(), await connector(session_id="own")
        await connector.close_all()

        assert asked == [orchestrator.url, orchestrator.url]
        assert (default.session_id, own.session_id) == ("default", "own")
        assert default.websocket.withhold_pongs
        assert own.websocket.withhold_pongs


async def test_a_connection_gets_its_requirement_and_its_witness():
    """So that assert_stable() needs no words, and a failure shows both ends."""
    requirement = Requirement.of(alive_for="2m")
    async with Orchestrator() as orchestrator:
        connector = connector_to(orchestrator.url, requirement, orchestrator)
        connection = await connector()
        await connection.assert_session_confirmed(within="5s")

        assert connection.requirement is requirement
        assert connection.others == (orchestrator.sessions[0].timeline,)
        await connector.close_all()


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({}, "no requirement; give keywords such as alive_for"),
        ({"session_within": None}, "session_within=None asks for nothing; name what is required, such as"),
    ],
)
async def test_without_a_requirement_assert_stable_says_what_is_missing(keywords, words):
    """A pass of nothing would be vacuous."""
    async with Orchestrator() as orchestrator:
        connector = connector_to(orchestrator.url)
        connection = await connector()
        with pytest.raises(ValueError, match=f"^assert_stable: {words}"):
            await connection.assert_stable(**keywords)
        with pytest.raises(ValueError, match=r"^alive_for: None is not a duration"):
            await connection.assert_alive_for(None)
        await connector.close_all()


async def test_an_opening_that_was_not_awaited_says_so():
    """What it lacks, the connection has."""
    async with Orchestrator() as orchestrator:
        connector = connector_to(orchestrator.url)
        opening = connector()
        with pytest.raises(
            AttributeError, match=r"^assert_alive_for: the connection is not open yet; write  "
        ):
            opening.assert_alive_for("2m")
        assert not hasattr(opening, "closed")
        await opening
        await connector.close_all()


async def test_async_with_closes():
    """With 1000, planned."""
    async with Orchestrator() as orchestrator:
        connector = connector_to(orchestrator.url)
        async with connector() as connection:
            assert connection.websocket.is_open
        connection.assert_closed(code=1000, by="client")
        assert connection.timeline.close.planned


async def test_async_with_closes_after_a_failure():
    """The body's error is what is seen."""
    async with Orchestrator() as orchestrator:
        connector = connector_to(orchestrator.url)
        with pytest.raises(LookupError):
            async with connector() as connection:
                raise LookupError
        connection.assert_closed(code=1000)


async def test_close_all_leaves_the_dead_in_peace():
    """Each connection keeps the end that it had."""
    async with Orchestrator() as orchestrator:
        connector = connector_to(orchestrator.url)
        first, second = await connector(), await connector()
        await first.close(4000)
        await connector.close_all()

        first.assert_closed(code=4000)
        second.assert_closed(code=1000)
        await connector.close_all()


@pytest.mark.ws_stability(time="virtual")
async def test_close_all_closes_all_at_once():
    """Ten peers that never answer take ten seconds together, and hold up nobody else."""

    async def script(peer):
        await peer.upgrade()
        await peer.gone()

    loop = asyncio.get_running_loop()
    async with serving(script) as url, Orchestrator() as orchestrator:
        connector = connector_to(url, profile="frames")
        for _ in range(10):
            await connector()
        good = await connector(orchestrator.url, profile="json")
        await good.assert_session_confirmed(within="5s")
        before = loop.time()
        await connector.close_all()

        assert loop.time() == before + 10.0
        assert good.timeline.close.at == good.timeline.duration == before - good.timeline.opened
        good.assert_closed(code=1000)
        assert all(each.websocket.transport is None for each in connector.connections)


async def test_an_opening_that_fails_leaves_nothing_to_close():
    """The error is that of connect()."""
    async with Orchestrator() as orchestrator:
        url = orchestrator.url
    connector = connector_to(url)
    with pytest.raises(OpeningError):
        await connector()
    with pytest.raises(OpeningError):
        async with connector():
            pass
    assert connector.connections == []
    await connector.close_all()


async def test_what_ended_beside_a_connection_tells_why():
    """Three of other ages that a server drops at one instant were restarted; one alone tells less."""
    loop = asyncio.get_running_loop()
    stop = loop.time() + 47.3

    async def script(peer):
        await peer.upgrade()
        await asyncio.sleep(stop - loop.time())

    async with serving(script) as url:
        connector = connector_to(url, profile="frames")
        connections = []
        for _ in range(3):
            connections.append(await connector())
            await asyncio.sleep(7)
        await asyncio.gather(*(each.wait_closed() for each in connections))

        with pytest.raises(StabilityError) as failed:
            connections[0].assert_no_abnormal_closure()
        alone = diagnose(connections[0].timeline)
        await connector.close_all()

    assert failed.value.verdict.diagnosis.cause is Cause.RESTART
    assert "2 other connections ended within 2 s" in str(failed.value)
    assert alone.cause is not Cause.RESTART


async def test_a_task_of_a_call_is_told_what_to_write():
    """asyncio takes coroutines only for a task, and shows what it was given; `open` gives one."""
    async with Orchestrator() as orchestrator:
        connector = connector_to(orchestrator.url)
        opening = connector()
        with pytest.raises(TypeError, match=r"create_task\(ws_connect\.open\(\.\.\.\)\)"):
            asyncio.get_running_loop().create_task(opening)
        assert (await opening).url == orchestrator.url
        async with asyncio.TaskGroup() as group:
            task = group.create_task(connector.open())

        assert task.result().url == orchestrator.url
        await connector.close_all()
