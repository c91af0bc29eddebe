"""Whether the door's address is to be had."""

import socket

import pytest

from georouter.admin.address import try_bind
from georouter.words.errors import SourceError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_taken_address_is_named(host: str) -> None:
    """With its port and the setting, and free again when the other one is gone."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as other:
        port = other.getsockname()[1]
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        with pytest.raises(SourceError) as caught:
            try_bind(host, port)
        assert f"admin address {shown} is taken" in str(caught.value)
        assert "server.admin" in str(caught.value)
    try_bind(host, port)


@pytest.mark.parametrize(
    ("host", "reason"), [("192.0.2.1", "Cannot assign"), ("not an address", "not known")]
)
def test_an_address_that_is_not_ours(host: str, reason: str) -> None:
    """The system's reason, and the setting."""
    with pytest.raises(SourceError, match=reason) as caught:
        try_bind(host, 0)
    assert "server.admin" in str(caught.value)
