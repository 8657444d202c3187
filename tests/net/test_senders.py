"""Who answered a handshake: what names a sender, and not what each request is given."""

import pytest

from pytest_wsstability.net.senders import served_by


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ([], ""),
        ([("Server", "nginx"), ("Date", "today"), ("X-Backend", "b2")], "nginx, b2"),
        ([("via", "1.1 proxy"), ("X-SERVED-BY", "10.0.0.2:80")], "1.1 proxy, 10.0.0.2:80"),
        # A number for each request: nobody would share it.
        ([("CF-Ray", "8f2-FRA"), ("Server", "cloudflare"), ("x-amzn-RequestId", "7")], "cloudflare"),
        ([("fly-request-id", "01J"), ("x-envoy-upstream-service-time", "12")], ""),
        # What a terminal would obey.
        ([("Server", "a\x9b2J")], "a\\x9b2J"),
        ([("Server", "a" * 61)], "a" * 57 + "..."),
        ([("Server", "a" * 60)], "a" * 60),
    ],
)
def test_who_answered(fields, name):
    assert served_by(fields) == name
