"""TLS contexts of authorities made for the test run."""

from __future__ import annotations

import ssl
from functools import cache

import trustme

from pytest_wsstability import TLS


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def asking_context(*names: str) -> ssl.SSLContext:
    """The same, of a server that takes no client without a certificate of the authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@cache
def server_context(*names: str) -> ssl.SSLContext:
    """A server's context with a certificate for these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(*names).configure_cert(context)
    return context


def trusting(directory) -> TLS:
    """A client's settings that trust the authority of these tests."""
    path = directory / "ca.pem"
    authority().cert_pem.write_to_path(path)
    return TLS(ca=str(path))
