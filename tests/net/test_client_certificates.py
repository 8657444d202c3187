"""The certificate with which a client shows itself."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability import TLS, OpeningError, Orchestrator, connect
from tests.net.certificates import asking_context, authority, trusting


@pytest.fixture
def issued(tmp_path):
    """Certificate and key of a client in two files, then both in one."""
    made = authority().issue_cert("client@example.org")
    cert, key, both = (tmp_path / name for name in ("cert.pem", "key.pem", "both.pem"))
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)
    made.private_key_and_cert_chain_pem.write_to_path(both)
    return str(cert), str(key), str(both)


@pytest.mark.parametrize("apart", [True, False], ids=["two files", "one file"])
@pytest.mark.ws_stability
async def test_a_server_that_asks_for_one(tmp_path, issued, apart):
    """The key may stand in the certificate's file."""
    cert, key, both = issued
    shown = {"cert": cert, "key": key} if apart else {"cert": both}
    tls = dataclasses.replace(trusting(tmp_path), **shown)
    async with Orchestrator(tls=asking_context("127.0.0.1")) as server:
        connection = await connect(server.url, tls=tls)
        await connection.assert_session_confirmed(within=5)
        await connection.close()


@pytest.mark.ws_stability
async def test_none_is_shown_unless_it_is_given(tmp_path):
    """The server then ends the connection: in TLS 1.3 after the handshake, as far as the client sees."""
    async with Orchestrator(tls=asking_context("127.0.0.1")) as server:
        with pytest.raises(OpeningError):
            await connect(server.url, tls=trusting(tmp_path))


def test_a_key_that_does_not_fit_is_told(tmp_path, issued):
    """The file is named."""
    cert, *_ = issued
    other = tmp_path / "other.pem"
    authority().issue_cert("other@example.org").private_key_pem.write_to_path(other)

    with pytest.raises(ValueError, match=r"^cert: '.*cert\.pem' is no certificate with its key"):
        TLS(cert=cert, key=str(other)).context()


def test_a_certificate_without_its_key_is_told(issued):
    """Neither in the one file nor in another."""
    with pytest.raises(ValueError, match=r"^cert: '.*cert\.pem' is no certificate with its key"):
        TLS(cert=issued[0]).context()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"cert": "nowhere.pem"},
            r"^cert: there is no file 'nowhere\.pem'; give a PEM file of the client's$",
        ),
        ({"key": __file__}, r"^key: a key without a certificate; give cert too$"),
    ],
)
def test_a_mistake_is_told(given, words):
    """Before anything opens."""
    with pytest.raises(ValueError, match=words):
        TLS(**given)
