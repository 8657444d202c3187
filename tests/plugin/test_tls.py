"""--ws-ca and --ws-insecure: how a certificate is checked."""

from __future__ import annotations

import pytest
import trustme

SOURCE = """
import pytest
import ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem")

@pytest.mark.ws_stability(alive_for="{hold}", heartbeat_every="{beat}")
@pytest.mark.ws_orchestrator(tls=context)
def test_soak(ws_soak):
    assert ws_soak.url.startswith("wss://")
"""


@pytest.fixture(autouse=True)
def certificates(project):
    """A server's certificate for 127.0.0.1, and its authority."""
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        project.path / "server.pem"
    )
    authority.cert_pem.write_to_path(project.path / "ca.pem")


@pytest.mark.parametrize("time", ["virtual", "real"])
@pytest.mark.parametrize("option", ["--ws-ca=ca.pem", "--ws-insecure"])
def test_a_private_authority(passes, option, time):
    """Trusted by name, or not checked, in both times."""
    hold, beat = ("2m", "25s") if time == "virtual" else ("300ms", "60ms")

    passes(SOURCE.format(hold=hold, beat=beat), option, f"--ws-time={time}")


def test_it_is_not_trusted_by_default(run):
    """The message names both options."""
    result = run(SOURCE.format(hold="2m", beat="25s"))

    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*did not open (TLS handshake): the certificate is not trusted: *--ws-ca FILE*--ws-insecure*"]
    )


def test_a_file_that_is_no_certificate(run, pytester):
    """It is named."""
    (pytester.path / "other.pem").write_text("hello")

    result = run(SOURCE.format(hold="2m", beat="25s"), "--ws-ca=other.pem")

    assert result.ret != 0
    assert "'other.pem' cannot be read as PEM" in result.stdout.str() + result.stderr.str()
