"""What the connections of a fleet do: as a value, and as JSON for workers in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from ...core.fleet.requirement import FleetReconnects
from ...core.judge.requirement import Requirement
from ...core.plain import plain, restore
from ...core.project_code import imported
from ...profiles import JSON, Profile
from ...profiles.catalogue import find
from ..connection import Connection
from ..keywords import ConnectKeywords
from ..target import TLS, check_route, check_source, client_kind, parse_url
from ..traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetJob:
    """
    What each connection of a fleet does.

    Workers in processes of their own load its functions by their names: these then stand in a module that
    can be imported there.

    """

    url: str
    requirement: Requirement
    options: ConnectKeywords = field(default_factory=ConnectKeywords)
    # What one connection does otherwise, by its number: its session id, headers...
    options_of: Callable[[int], ConnectKeywords] | None = None
    # Where one connection goes, by its number.
    url_of: Callable[[int], str] | None = None
    # A coroutine function that talks on each connection while it is held.
    traffic: Traffic | None = None
    # Names the message that the server sends on to all connections which a message is; None for others.
    fanout_of: Callable[[str | bytes], str | None] | None = None
    # Seconds after which such a message is late; None where nobody asks.
    fanout_within: float | None = None
    # Seconds that the 99th of a hundred of them may take; None where nobody asks.
    fanout_p99: float | None = None
    # How connections that ended come back; None where they do not.
    reconnects: FleetReconnects | None = None
    # Addresses of the machine that connections are opened from, in turn; empty: the system chooses.
    sources: tuple[str, ...] = ()
    # Called with each connection once it is open; not in workers in processes of their own.
    opened: Callable[[Connection], object] | None = None

    def check_options(self) -> None:
        """
        See that each connection can open as it is asked to, as far as that can be told beforehand.

        Raises:
            ValueError: if not, naming the option, or what is required and their protocol does not have.

        """
        check_keywords(self.options, "options")
        if (client := self.options.get("client")) is not None:
            client_kind(client)
        if self.options_of is None:
            self.check_profile(self.options)
        if self.options.get("proxy") is None and self.options.get("address") is None:
            for source in self.sources:
                check_route(source, parse_url(self.url).host)

    def check_profile(self, options: ConnectKeywords) -> None:
        """
        See that the protocol of a connection has what is required of each.

        Raises:
            ValueError: if it has not, or there is no such protocol.

        """
        self.requirement.check_fits(find(options.get("profile", JSON)).facts)

    def check_targets(self, connections: int) -> None:
        """
        See where all of them go, before the first one opens.

        Raises:
            ValueError: for what is no URL, and for two hosts: a fleet shows something of one.

        """
        if self.url_of is None:
            return
        host = parse_url(self.url).host
        for number in range(connections):
            try:
                other = parse_url(self.url_of(number)).host
            except ValueError as error:
                raise ValueError(f"url_of: connection {number}: {error}") from None
            if other != host:
                raise ValueError(
                    f"url_of: connection {number} goes to {other!r}, and the fleet to {host!r}: its bounds "
                    "are for one host; hold a fleet for each"
                )

    def as_dict(self) -> dict[str, Any]:
        """
        The job in builtin types, for JSON.

        Raises:
            ValueError: for something that another process can't load, saying what to write instead.

        """
        options: dict[str, Any] = dict(self.options)
        profile = options.get("profile")
        if isinstance(profile, Profile):
            raise ValueError(f"profile {profile.name!r}: workers load it by its name; give 'module:NAME'")
        return {
            "url": self.url,
            "requirement": plain(self.requirement),
            "options": plain(options),
            "fanout_within": self.fanout_within,
            "fanout_p99": self.fanout_p99,
            "reconnects": plain(self.reconnects),
            "sources": list(self.sources),
            **{name: _name_of(getattr(self, name), name) for name in _FUNCTIONS},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FleetJob:
        """
        The job that `as_dict` made this of, with its functions.

        Raises:
            KeyError, ValueError: for something missing or wrong.

        """
        options = dict(data["options"])
        if options.get("tls") is not None:
            options["tls"] = restore(TLS, options["tls"], "tls")
        profile = options.get("profile")
        if isinstance(profile, str) and ":" in profile:
            options["profile"] = load(profile, "profile")
        functions = {name: load(data[name], name) for name in _FUNCTIONS if data.get(name) is not None}
        return cls(
            url=data["url"],
            requirement=restore(Requirement, data["requirement"], "requirement"),
            options=cast("ConnectKeywords", options),
            fanout_within=data["fanout_within"],
            fanout_p99=data["fanout_p99"],
            reconnects=restore(FleetReconnects | None, data["reconnects"], "reconnects"),
            sources=tuple(data["sources"]),
            **functions,
        )


def check_keywords(options: object, what: str) -> None:
    """
    See that options are keywords of `connect`, with their values.

    Raises:
        ValueError: if not, naming the first that is none and whose it is.

    """
    if not isinstance(options, Mapping):
        raise ValueError(
            f"{what}: {options!r} are no options; give a dict, such as {{'session_id': 'caller-0'}}"
        )
    valid = ConnectKeywords.__annotations__
    for name in options:
        if name not in valid:
            raise ValueError(f"{what}: {name!r} is no keyword of connect; valid ones: {', '.join(valid)}")


def check_functions(**functions: object) -> None:
    """
    See that what is given as a function is one; None is none.

    Raises:
        ValueError: if not, naming the keyword.

    """
    for name, function in functions.items():
        if function is not None and not callable(function):
            of = {"fanout_of": "a message", "traffic": "a connection"}.get(name, "the number of a connection")
            raise ValueError(f"{name}: {function!r} is no function of {of}")


def sources_of(given: object) -> tuple[str, ...]:
    """
    The addresses that the connections of a fleet are opened from.

    Raises:
        ValueError: for what is no list of addresses.

    """
    if not isinstance(given, Iterable) or isinstance(given, str):
        what = "is one address" if isinstance(given, str) else "are no addresses"
        raise ValueError(f"sources: {given!r} {what}; give a list, such as ['127.0.0.2', '127.0.0.3']")
    sources = tuple(given)
    for source in sources:
        check_source(source)
    return sources


_FUNCTIONS = ("options_of", "url_of", "traffic", "fanout_of")


def _name_of(function: Any, what: str) -> str | None:
    if function is None:
        return None
    module, name = getattr(function, "__module__", "__main__"), getattr(function, "__qualname__", "<none>")
    if "<" in name or module == "__main__":
        raise ValueError(
            f"{what}: workers load a function by its name, which {name!r} of {module!r} has not; "
            "write it at the top level of a module"
        )
    return f"{module}:{name}"


def load(name: str, what: str) -> Any:
    """
    What a name such as ``module:attribute`` stands for.

    Raises:
        ValueError: if there is no such module or attribute, naming it.

    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(f"{what}: {name!r} names nothing; give 'module:attribute'")
    try:
        found: Any = imported(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ModuleNotFoundError, ValueError) as error:
        raise ValueError(f"{what}: {name!r}: {error}") from error
    except AttributeError:
        raise ValueError(f"{what}: {name!r}: the module {module!r} has no {attribute!r}") from None
    return found
