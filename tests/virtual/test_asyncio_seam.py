"""What virtual time needs of asyncio is there, is replaced, and is named when a Python lacks it."""

import asyncio
import sys
from contextlib import closing
from contextvars import ContextVar, copy_context

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

    ours = next(vars(each)[public] for each in VirtualLoop.__mro__ if public in vars(each))
    assert getattr(VirtualLoop, private) is ours
    assert ours is not getattr(asyncio.SelectorEventLoop, private)
    assert getattr(asyncio_seam.SelectorLoop, public) is getattr(asyncio.SelectorEventLoop, private)
    assert reason


def slots(timer):
    """What asyncio keeps of a timer; a new Python may keep more, which `make_timer` would have to set."""
    classes = type(timer).__mro__
    names = [name for each in classes for name in getattr(each, "__slots__", ()) if name != "__weakref__"]
    return {name: getattr(timer, name) for name in names}


def test_a_timer_is_asyncios_in_every_part():
    """It is made in one step, and nothing of it is missing."""
    context = copy_context()
    with closing(VirtualLoop()) as loop:
        made = loop.call_at(1.5, print, "one", context=context)
        asyncios = asyncio.TimerHandle(1.5, print, ("one",), loop, context)
        # As `call_at` of asyncio does.
        asyncios._scheduled = True

    assert type(made) is asyncio.TimerHandle
    assert slots(made) == slots(asyncios)
    assert repr(made) == repr(asyncios)


def test_a_timer_runs_in_the_context_of_whoever_has_set_it():
    """Unless another one is given."""
    variable = ContextVar("variable", default="none")
    seen = []
    other = copy_context()
    with closing(VirtualLoop()) as loop:
        token = variable.set("set")
        loop.call_at(1, lambda: seen.append(variable.get()))
        loop.call_at(2, lambda: seen.append(variable.get()), context=other)
        variable.reset(token)
        loop.run_until_complete(asyncio.sleep(3))

    assert seen == ["set", "none"]


def test_a_timer_knows_its_stack_in_debug_mode():
    """As asyncio's does there."""
    with closing(VirtualLoop()) as loop:
        loop.set_debug(True)
        timer = loop.call_at(1, print)

        assert "created at" in repr(timer)
        assert __file__ in repr(timer)


class _Waits:
    """Stands for what nest_asyncio puts into a class of loops."""

    def __call__(self, *args):
        raise AssertionError("it would wait for the clock on the wall")


def nested(cls, monkeypatch):
    """What ``nest_asyncio.apply()`` does to the class of a loop, as its version 1.6 does it."""
    if not hasattr(cls, "_nest_patched"):
        for name in ("run_forever", "run_until_complete", "_run_once"):
            monkeypatch.setattr(cls, name, _Waits(), raising=False)
        monkeypatch.setattr(cls, "_nest_patched", True, raising=False)


def test_a_class_of_asyncios_that_was_changed(monkeypatch):
    """By nest_asyncio, where a library applies it as it is imported: this loop goes on in its own way."""
    nested(asyncio.SelectorEventLoop, monkeypatch)

    with closing(VirtualLoop()) as loop:
        assert loop.run_until_complete(asyncio.sleep(3600, "slept")) == "slept"
        loop.call_later(5, loop.stop)
        loop.run_forever()
        assert loop.time() == 3605


def test_the_class_of_a_virtual_loop_is_left_alone(monkeypatch):
    """Or all loops to come would wait for the clock on the wall."""

    async def main():
        nested(type(asyncio.get_running_loop()), monkeypatch)
        return await asyncio.sleep(3600, "slept")

    for _ in range(2):
        with closing(VirtualLoop()) as loop:
            assert loop.run_until_complete(main()) == "slept"


def test_no_run_in_a_run():
    """What to do instead is said."""

    async def main():
        loop = asyncio.get_running_loop()
        with pytest.raises(
            RuntimeError, match=r"is running already, .* await it instead, or run in real time"
        ):
            loop.run_until_complete(loop.create_future())
        return await asyncio.sleep(3600, "slept")

    with closing(VirtualLoop()) as loop:
        assert loop.run_until_complete(main()) == "slept"
