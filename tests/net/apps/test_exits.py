"""What ends its process ends no tests with it, and what others end is ended."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from pytest_wsstability.net.apps.exits import exits_as_errors, without_exits


def test_an_exit_is_refused_where_an_app_runs():
    real = os._exit
    with without_exits():
        with pytest.raises(RuntimeError, match=r"^os\._exit\(0\) would end pytest too, and was not done$"):
            os._exit(0)
        # Two apps at once, such as two holds: the second one's end leaves the first one's alone.
        with without_exits():
            pass
        with pytest.raises(RuntimeError):
            os._exit(3)
    assert os._exit is real


def test_other_threads_end_the_process(monkeypatch):
    """Such as the timer of pytest-timeout."""
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with without_exits():
        with pytest.raises(RuntimeError):
            os._exit(2)
        timer = threading.Thread(target=lambda: os._exit(1))
        timer.start()
        timer.join()
    assert ended == [1]


def test_a_patch_of_a_test_that_ends_after_the_app(monkeypatch):
    """Its end brings back what stood there while the app ran, and that ends others."""
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.MonkeyPatch.context() as patch, without_exits():
        patch.setattr(os, "_exit", lambda status: None)
    os._exit(1)
    with without_exits():
        timer = threading.Thread(target=lambda: os._exit(2))
        timer.start()
        timer.join()
    os._exit(3)

    assert ended == [1, 2, 3]
    assert os._exit == ended.append


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_end():
    """Those of multiprocessing end with os._exit."""
    with without_exits():
        child = os.fork()
        if not child:
            try:
                os._exit(7)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_system_exit_stands_where_the_app_has_it():
    """In a traceback, and in the place that is shown."""
    with (
        pytest.raises(RuntimeError, match=r"^sys\.exit\(3\) would end pytest too") as caught,
        exits_as_errors(),
    ):
        sys.exit(3)
    assert caught.traceback[-1].path == Path(__file__)
