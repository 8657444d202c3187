"""What virtual time needs of asyncio is there, is replaced, and is named when a Python lacks it."""

import ast
import asyncio
import sys
from pathlib import Path

import pytest

import pytest_wsstability
from pytest_wsstability.virtual import VirtualLoop, VirtualTimeError, asyncio_seam

PACKAGE = Path(pytest_wsstability.__file__).parent
ON_UNIX = {} if sys.platform == "win32" else asyncio_seam.REPLACED_ON_UNIX
REPLACED = asyncio_seam.REPLACED | ON_UNIX


def check():
    asyncio_seam.check_asyncio.cache_clear()
    asyncio_seam.check_asyncio()


def test_this_python_has_every_part():
    """A new Python fails here first."""
    check()


@pytest.mark.parametrize("table", ["REPLACED", "CALLED", "ATTRIBUTES"])
def test_a_missing_part_of_a_loop_is_named(table, monkeypatch):
    """Not found out in the middle of a test, but told before the first loop is made."""
    monkeypatch.setitem(getattr(asyncio_seam, table), "_gone", ("gone", "of no use"))
    with pytest.raises(
        VirtualTimeError,
        match=r"^virtual time does not know the asyncio of Python .*, which lacks loop\._gone; run this test",
    ):
        check()
    monkeypatch.undo()
    check()


def test_a_missing_part_of_another_class_is_named(monkeypatch):
    """A callback that cannot be run, and flow control of another shape."""
    monkeypatch.delattr(asyncio.Handle, "_run")
    monkeypatch.delattr(asyncio.transports._FlowControlMixin, "_maybe_pause_protocol")
    try:
        with pytest.raises(
            VirtualTimeError, match=r"lacks Handle\._run, _FlowControlMixin\._maybe_pause_protocol; run this"
        ):
            check()
    finally:
        monkeypatch.undo()
        check()


@pytest.mark.parametrize("private", REPLACED)
def test_each_replaced_method_is_the_virtual_loops(private):
    """asyncio calls it by its own name, and gets ours."""
    public, reason = REPLACED[private]

    assert getattr(VirtualLoop, private) is vars(VirtualLoop)[public]
    assert getattr(asyncio_seam.SelectorLoop, public) is getattr(asyncio.SelectorEventLoop, private)
    assert reason


def private_names():
    classes = (asyncio.SelectorEventLoop, asyncio.TimerHandle, asyncio.Server, asyncio.Task)
    names = {name for each in classes for name in dir(each) if name.startswith("_")}
    loop = asyncio.SelectorEventLoop()
    try:
        names |= {name for name in vars(loop) if name.startswith("_")}
    finally:
        loop.close()
    return {name for name in names if not name.startswith("__")}


@pytest.mark.parametrize("path", sorted((PACKAGE / "virtual").glob("*.py")), ids=lambda path: path.stem)
def test_private_names_of_asyncio_stand_in_one_file(path):
    """Of a loop, a handle, a server or a task: what a file sets or defines itself is its own."""
    tree = [*ast.walk(ast.parse(path.read_text()))]
    nodes = [node for node in tree if isinstance(node, ast.Attribute)]
    own = {node.attr for node in nodes if isinstance(node.ctx, ast.Store)}
    own |= {node.name for node in tree if isinstance(node, ast.FunctionDef)}
    found = {node.attr for node in nodes} & private_names() - own

    assert bool(found) == (path.stem == "asyncio_seam"), found
