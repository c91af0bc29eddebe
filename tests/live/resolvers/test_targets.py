"""Alias targets through real resolvers: what they find from the root is what our aliases have."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import dns.rcode
import pytest

from benchmarks.harness.daemon import Daemon
from tests.live.resolvers.running import RESOLVERS, Resolver
from tests.live.resolvers.site import LONDON_RESOLVER

pytestmark = pytest.mark.live

POLICY = """\
zones:
  alias.test:
    ns: [ns.elsewhere.test]
    records:
      far: {alias: www.elsewhere.net.}
      steered: {alias: chain.example.com.}
      renamed: {alias: www.d-far.example.com.}
      missing: {alias: nothing.example.org.}
      circle: {alias: loop.example.com.}
      here: {A: 192.0.2.1}
"""


@pytest.mark.parametrize("make", RESOLVERS, ids=lambda make: make.NAME)
def test_targets(tmp_path: Path, start: Callable[[ModuleType, bool], Resolver], make: ModuleType) -> None:
    """CNAME chains, DNAMEs and steered names are followed for us; what cannot be found is SERVFAIL."""
    host, port = start(make, False).address
    server = f", resolver: {{addresses: '{host}:{port}', timeout: 5s}}"
    with Daemon(tmp_path, POLICY, server=server, ready="here.alias.test") as daemon:
        found = {name: daemon.ask(f"{name}.alias.test") for name in ("far", "steered", "renamed")}
        assert found["far"].addresses == ("203.0.113.80",)
        assert found["steered"].addresses == ("192.0.2.20",), f"the answer of {LONDON_RESOLVER}"
        assert found["renamed"].addresses == ("192.0.2.91",)
        for name in ("missing", "circle"):
            assert daemon.ask(f"{name}.alias.test").message.rcode() == dns.rcode.SERVFAIL
        reasons = {item["target"]: item["reason"] for item in daemon.status()["aliases"]}
        assert reasons["nothing.example.org"] == "no such name"
        assert "SERVFAIL from" in reasons["loop.example.com"] or "timeout" in reasons["loop.example.com"]
