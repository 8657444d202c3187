"""What virtual time needs of asyncio is there, is replaced, and is named when a Python lacks it."""

import asyncio
import sys

import pytest

from pytest_wsstability.virtual import VirtualLoop, VirtualTimeError, asyncio_seam

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
            VirtualTimeError,
            match=r"lacks asyncio\.Handle\._run, .*\._maybe_pause_protocol; run this",
        ):
            check()
    finally:
        monkeypatch.undo()
        check()


@pytest.mark.parametrize(("owner", "gone"), [("asyncio.Server", "_gone"), ("asyncio.Gone", "_sockets")])
def test_a_missing_attribute_of_an_object_is_named(owner, gone, monkeypatch):
    """A class has none of its objects' attributes: its methods tell that they use it."""
    monkeypatch.setitem(asyncio_seam.OF_OBJECTS, owner, ((gone,), "of no use"))
    with pytest.raises(VirtualTimeError, match=rf"lacks {owner}\.{gone}; run this"):
        check()
    monkeypatch.undo()
    check()


@pytest.mark.parametrize("private", REPLACED)
def test_each_replaced_method_is_the_virtual_loops(private):
    """asyncio calls it by its own name, and gets ours."""
    public, reason = REPLACED[private]

    assert getattr(VirtualLoop, private) is vars(VirtualLoop)[public]
    assert getattr(asyncio_seam.SelectorLoop, public) is getattr(asyncio.SelectorEventLoop, private)
    assert reason
