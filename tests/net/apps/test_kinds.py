"""What an application tells of itself."""

from __future__ import annotations

import functools

import pytest

from pytest_wsstability.net.apps.kinds import AppError, AppKind, kind_of


async def handler(connection): ...


async def asgi(scope, receive, send): ...


class Consumer:
    """As of Channels: a class whose app claims to wrap it."""

    def __init__(self, *args, **kwargs): ...


def consumer():
    """What ``as_asgi()`` makes."""

    async def app(scope, receive, send): ...

    return functools.update_wrapper(app, Consumer, updated=())


def decorated():
    """By a decorator that passes on what it is given."""

    @functools.wraps(asgi)
    async def wrapper(*args, **kwargs):
        return await asgi(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (asgi, AppKind.ASGI),
        (consumer(), AppKind.ASGI),
        (decorated(), AppKind.ASGI),
        (functools.partial(asgi), AppKind.ASGI),
        (handler, AppKind.HANDLER),
    ],
    ids=["function", "Channels", "decorated", "partial", "handler"],
)
def test_an_app_is_what_its_own_arguments_say(app, kind):
    """And what it wraps says so only where it takes whatever it is given."""
    assert kind_of(app) is kind


def test_a_factory_is_told_from_an_app():
    """By its own arguments, too."""

    @functools.wraps(asgi)
    def factory(): ...

    with pytest.raises(AppError, match=r"if it makes the app, write 'module:name\(\)'"):
        kind_of(factory)
