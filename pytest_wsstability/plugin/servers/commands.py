"""The commands of a run: each is started once, for the first test that needs it, and ended with the run."""

from __future__ import annotations

import os
from typing import Never

import pytest

from ..plans import base_target_of
from ..registered import registered
from ..server_choice import server_of
from ..settings import TargetKind
from ..stash import settings_key
from .command import PORT, CommandError, ServerProcess, daphne, split

_NAME = "wsstability-commands"


class Commands:
    """The processes under test of one run, by their command."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._running: dict[tuple[str, ...], ServerProcess] = {}
        # What kept one from coming up: it would do so again, and take as long.
        self._failed: dict[tuple[str, ...], str] = {}

    def of(self, item: pytest.Item) -> ServerProcess:
        """
        The process that a test is for, running.

        Raises:
            CommandError: if it does not come up.

        """
        words = tuple(words_of(item))
        if words in self._failed:
            raise CommandError(f"{self._failed[words]}\n(told once more: it is not started again)")
        settings = self._config.stash[settings_key]
        if words not in self._running:
            target = base_target_of(item)
            command_url = (
                settings.command_url if target.kind is TargetKind.COMMAND else f"ws://127.0.0.1:{PORT}"
            )
            self._running[words] = ServerProcess(
                words,
                url=command_url,
                timeout=settings.command_timeout,
                folder=str(self._config.invocation_params.dir),
                source=target.source,
            )
        process = self._running[words]
        try:
            process.ensure()
        except CommandError as exc:
            self._failed[words] = str(exc)
            raise
        return process

    def stop(self) -> None:
        """End them all, with their children."""
        for process in self._running.values():
            process.stop()


def commands_of(config: pytest.Config) -> Commands:
    """The commands of a run."""
    return registered(config, _NAME, lambda: Commands(config))


def words_of(item: pytest.Item) -> list[str]:
    """
    The words of the command that a test is for.

    Raises:
        CommandError: for one that cannot be run.

    """
    target = base_target_of(item)
    if target.kind is TargetKind.COMMAND:
        return split(target.value)
    return daphne(target.value, dict(server_of(item).settings))


def check_command(item: pytest.Item) -> None:
    """
    See that the command of a test can be run as often as this run runs it.

    Raises:
        CommandError: if not, with what to write.

    """
    words = words_of(item)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if workers > 1 and not any(PORT in word for word in words):
        raise CommandError(
            f"{workers} workers of xdist each start it, on a port of their own: write {PORT} where "
            f"it takes its port, such as 'node server.js --port {PORT}' or 'env PORT={PORT} node server.js'"
        )


def refuse(message: str) -> Never:
    """Fail a test for what it needs, in one message, and without the error that it is made of."""
    raise pytest.fail.Exception(message, pytrace=False) from None
