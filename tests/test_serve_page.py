"""The page about `wsstability serve` has the limits of the code."""

import argparse
from pathlib import Path

from pytest_wsstability.cli import serve
from pytest_wsstability.net.client import MAX_SIZE
from pytest_wsstability.net.server.side import MAX_HEAD, MAX_SESSION_ID, OPEN_TIMEOUT

PAGE = (Path(__file__).parent.parent / "docs/serve.md").read_text()


def test_the_limits_are_those_of_the_code():
    """Each number stands in its row."""
    parser = argparse.ArgumentParser()
    serve.add_options(parser)
    rows = {
        "time for the opening handshake": f"{OPEN_TIMEOUT:g} s",
        "bytes of a request": f"{MAX_HEAD // 1024} KiB",
        "connections at once": f"`--max-connections`, {parser.get_default('max_connections')}",
        "bytes of a message": f"{MAX_SIZE // 2**20} MiB (`Orchestrator(max_size=)`)",
        "sessions that are over and remembered": str(serve.REMEMBERED),
    }

    for what, limit in rows.items():
        assert f"| {what} | {limit} |" in PAGE
    assert f"| characters of a session's id | {MAX_SESSION_ID};" in PAGE


def test_every_option_of_the_page_is_one():
    """And those that decide who may connect stand in it."""
    parser = argparse.ArgumentParser()
    serve.add_options(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    named = {word.strip("`,;.)") for word in PAGE.replace("`", " ").split() if word.startswith("--")}

    assert named <= options
    assert {"--allow-origin", "--max-connections", "--host"} <= named
