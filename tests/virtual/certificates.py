"""TLS contexts of an authority made for the test run."""

import ssl
from functools import cache

import trustme


@cache
def contexts():
    """A server's and a client's context that trust each other, for ``localhost``."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client
