"""The command below a failure that runs it again, to be copied."""

from __future__ import annotations

import shlex
from itertools import pairwise

import pytest

INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
SOAK = """
import pytest

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_it(ws_soak): ...
"""
APP = """
async def app(scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 4401, "reason": "token expired"})
"""
CLOSED = """
import pytest

@pytest.mark.ws_stability(alive_for="2m", profile="frames")
def test_it(ws_soak): ...
"""
IDS = """
import pytest

URLS = ["ws://127.0.0.1:1/?token=abc", "ws://127.0.0.1:1/?token=def", "ws://127.0.0.1:1/b?token=abc"]

@pytest.mark.ws_stability(alive_for="2m")
@pytest.mark.parametrize("number", ["a b"])
@pytest.mark.parametrize("ws_url", URLS)
def test_it(ws_soak, number): assert ws_soak is None
"""


def again(printed: str) -> str:
    """The line below the title."""
    lines = printed.splitlines()
    return next(after for line, after in pairwise(lines) if "- run it again -" in line)


def test_seed_and_order_of_virtual_time(failure):
    """What virtual time leaves open is said, though nobody asked for it."""
    line = again(failure(SOAK))

    assert line == (
        "pytest test_seed_and_order_of_virtual_time.py::test_it --ws-time virtual --ws-order fifo --ws-seed 0"
    )


def test_the_app_of_the_options_is_in_it(failure, pytester):
    """Run again as it stands, the same happens."""
    pytester.syspathinsert()
    pytester.makepyfile(served=APP)
    line = again(failure(CLOSED, "--ws-app=served:app", "-o", "ws_server=uvicorn(ws='wsproto')"))

    assert "--ws-app served:app" in line
    words = shlex.split(line)
    assert words[:4] == [
        "pytest", "test_the_app_of_the_options_is_in_it.py::test_it", "-o", "ws_server=uvicorn(ws='wsproto')"
    ]  # fmt: skip
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *words[1:])
    assert result.parseoutcomes() == {"failed": 1}
    assert again(result.stdout.str()) == line


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("--ws-header=X-Team: voice one", "--ws-header 'X-Team: voice one'"),
        ("--ws-header=Authorization: Bearer hunter2", '--ws-header "Authorization: $AUTHORIZATION"'),
        ("--ws-header=X-Api-Key: hunter2", '--ws-header "X-Api-Key: $X_API_KEY"'),
        ("--ws-subprotocol=v1", "--ws-subprotocol v1"),
        ("--ws-insecure", "--ws-insecure"),
        ("--ws-proxy=http://me:hunter2@proxy.example:3128", '--ws-proxy "$WS_PROXY"'),
        ("--ws-redirects=2", "--ws-redirects 2"),
        ("--override-ini=ws_headers=X-Token: hunter2", '-o "ws_headers=$WS_HEADERS"'),
        ("--override-ini=ws_headers=X-Team: voice", "-o 'ws_headers=X-Team: voice'"),
    ],
)
def test_options_of_the_run_are_in_it(failure, given, shown):
    """As they were given, and without their secrets."""
    printed = failure(SOAK, given)

    assert f" {shown} --ws-time" in again(printed)
    assert "hunter2" not in printed


def test_options_about_the_run_as_a_whole_are_not(failure):
    """Reports and gates would be written and judged over one test."""
    line = again(failure(SOAK, "--ws-report=a.md", "--ws-fail-on=unstable > 5", "--ws-save=nightly"))

    assert line.endswith("::test_it --ws-time virtual --ws-order fifo --ws-seed 0")


@pytest.mark.parametrize(
    ("query", "shown"), [("", "--ws-url ws://127.0.0.1:{port}/"), ("?token=hunter2", '--ws-url "$WS_URL"')]
)
def test_the_url_of_the_environment(run, monkeypatch, unused_port, query, shown):
    """Whoever copies the line has another environment; a token stays a variable."""
    monkeypatch.setenv("WS_URL", f"ws://127.0.0.1:{unused_port}/{query}")
    printed = run(SOAK).stdout.str()

    assert again(printed).endswith(f"::test_it {shown.format(port=unused_port)}")
    assert "hunter2" not in printed


def test_a_test_below_the_folder_of_the_run(pytester):
    """The path leads to the test from where pytest was started."""
    folder = pytester.mkdir("inner")
    (folder / "test_inner.py").write_text(SOAK)
    (pytester.path / "other").mkdir()
    pytester.chdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pytester.path / "other")
        result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "../inner")

    assert again(result.stdout.str()).startswith("pytest ../inner/test_inner.py::test_it ")
    # As pytest names places of its own.
    result.stdout.fnmatch_lines(["  test      ../inner/test_inner.py:4"])


def test_a_test_that_a_class_inherits(pytester):
    """It is run by its own file, and the line is that of the file in which it is written."""
    pytester.makepyfile(
        base="""
        import pytest

        class Base:
            @pytest.mark.ws_stability(alive_for="2m", client="mute")
            def test_it(self, ws_soak): ...
    """
    )
    pytester.makepyfile(test_own="from base import Base\n\nclass TestOwn(Base): ...")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "test_own.py")

    assert again(result.stdout.str()).startswith("pytest test_own.py::TestOwn::test_it ")
    result.stdout.fnmatch_lines(["  test      base.py:4"])


@pytest.mark.parametrize("given", ["below", "below/test_deep.py"])
def test_a_test_outside_the_folder_of_the_ini_file(pytester, given):
    """Its id has no path that leads to it, and the command has one."""
    (pytester.mkdir("settings") / "pytest.ini").write_text(INI)
    (pytester.mkdir("below") / "test_deep.py").write_text(SOAK)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-c", "settings/pytest.ini", given)

    line = again(result.stdout.str())
    assert line.startswith("pytest below/test_deep.py::test_it -c settings/pytest.ini ")


def test_a_url_with_a_secret_in_the_id(pytester):
    """What was masked in the id of a test is so once: the command names the test that failed."""
    pytester.makeini(INI)
    pytester.makepyfile(test_ids=IDS)
    printed = pytester.runpytest().stdout.str()
    lines = [after for line, after in pairwise(printed.splitlines()) if "- run it again -" in line]

    assert [shlex.split(line)[1] for line in lines] == [
        "test_ids.py::test_it[ws://127.0.0.1:1/?token=***0-a b]",
        "test_ids.py::test_it[ws://127.0.0.1:1/?token=***1-a b]",
        "test_ids.py::test_it[ws://127.0.0.1:1/b?token=***-a b]",
    ]
    for line in lines:
        pytester.runpytest(*shlex.split(line)[1:]).assert_outcomes(failed=1)


@pytest.mark.parametrize("given", ["password=hunter2", '{"password": "x1y"}'])
def test_an_id_with_a_secret_in_it(pytester, given):
    """The command shows none of it and selects the test, among those with other parameters."""
    source = IDS.replace('"a b"', repr(given)).replace("?token=abc", "").replace("?token=def", "c")
    pytester.makepyfile(test_ids=source)
    pytester.makeini(INI)
    line = again(pytester.runpytest().stdout.str())

    assert shlex.split(line)[1] == "test_ids.py::test_it"
    pytester.runpytest(*shlex.split(line)[1:]).assert_outcomes(failed=3)


def test_the_seed_of_pytest_randomly_is_in_it(failure):
    """It seeds the module random before each test, by chance where nobody names a seed."""
    conftest = """
        def pytest_addoption(parser):
            parser.addoption("--randomly-seed", dest="randomly_seed", default="default")

        def pytest_configure(config):
            config.option.randomly_seed = 1234
        """
    line = again(failure(SOAK, conftest=conftest))

    assert "::test_it --randomly-seed 1234 --ws-time virtual " in line


def test_both_orders_are_asked_for_again(run):
    """The id of a test that ran in two orders exists with that option only."""
    source = """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", client="mute")
        async def test_it(ws_connect):
            connection = await ws_connect(heartbeat="25s")
            await connection.assert_alive_for("2m")
        """
    line = again(run(source, "--ws-order=all").stdout.str())

    assert "test_it[order-fifo]" in line
    assert line.endswith("--ws-order all --ws-seed 0")
