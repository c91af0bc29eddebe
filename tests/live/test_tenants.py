"""Tenants in a running daemon: asked, moved, broken, repaired, restarted; under load."""

import sqlite3
from pathlib import Path

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.load import Load
from benchmarks.harness.wait import until
from tests.live.test_zone_files import put, refused

pytestmark = pytest.mark.live

US, EU = "192.0.2.10", "192.0.2.20"
POLICY = """\
regions:
  us: {location: {lat: 39.0, lon: -77.5, country: US}, endpoints: [192.0.2.10]}
  eu: {location: {lat: 53.3, lon: -6.3, country: IE}, endpoints: [192.0.2.20, "2001:db8::20"]}
services:
  web:
    regions: [us, eu]
    chain: [{pin: {directory: FILE, unknown: nxdomain}}, nearest]
zones:
  example.com: {ns: [ns1.example.net], records: {"*.app": {service: web}, shop: {CNAME: acme.app}}}
"""
HEAD = "tenant,home,residency,state,moving_to\n"


def home(daemon: Daemon, label: str, kind: str = "A") -> tuple[str, ...]:
    """Who answers for a tenant."""
    return daemon.ask(f"{label}.app.example.com", kind).addresses


def test_a_tenant_moves_and_mistakes_do_not_count(tmp_path: Path) -> None:
    """Without being told: moving answers the old home, active the new one; a bad row keeps the last good."""
    file = tmp_path / "t.csv"
    put(file, f"{HEAD}acme,eu,IE,,\nglobex,us,,,\n")
    daemon = Daemon(tmp_path, POLICY.replace("FILE", "t.csv"))
    with daemon:
        assert home(daemon, "ACME") == home(daemon, "www.acme") == (EU,)
        assert home(daemon, "acme", "AAAA") == ("2001:db8::20",)
        assert daemon.ask("shop.example.com").addresses == (EU,)
        assert daemon.ask("ghost.app.example.com").rcode == "NXDOMAIN"
        assert daemon.ask("acme.app.example.com", "MX").rcode == "NOERROR"
        put(file, f"{HEAD}acme,eu,IE,,\nglobex,us,,moving,eu\ninitech,eu,,,\n")
        until(lambda: home(daemon, "initech") == (EU,), "the new tenant")
        assert home(daemon, "globex") == (US,)
        put(file, f"{HEAD}acme,us,IE,,\nglobex,eu,,,\n")
        (problem,) = until(lambda: refused(daemon), "the refusal")
        assert problem == f'{file}:2: home: region "us" lies outside the residency "IE"'
        assert home(daemon, "globex") == (US,)
        put(file, f"{HEAD}acme,eu,IE,,\nglobex,eu,,,\n")
        until(lambda: home(daemon, "globex") == (EU,), "the moved tenant")
        assert refused(daemon) == []
        assert daemon.stop() == 0
    put(file, HEAD)
    with daemon:
        assert home(daemon, "globex") == (EU,)
        assert daemon.status()["config"]["serving_last_good"]


def test_tenants_change_under_load(tmp_path: Path) -> None:
    """Fifty thousand in an SQLite file: nothing is lost or wrong while rows are written."""
    file = tmp_path / "t.db"
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE tenants(tenant TEXT PRIMARY KEY, home TEXT)")
    rows = ((f"t{number}", "eu" if number % 2 else "us") for number in range(50_000))
    database.executemany("INSERT INTO tenants VALUES (?, ?)", rows)
    database.commit()
    with Daemon(tmp_path, POLICY.replace("FILE", "t.db")) as daemon:
        assert (home(daemon, "t41"), home(daemon, "T42")) == ((EU,), (US,))
        with Load(daemon.address, [("t49999.app.example.com", None)], 500) as load:
            database.execute("UPDATE tenants SET home = 'eu' WHERE tenant = 't42'")
            database.commit()
            until(lambda: home(daemon, "t42") == (EU,), "the moved tenant", timeout_s=60.0)
        assert load.lost == 0
        assert {outcome.address for outcome in load.outcomes()} == {EU}
    database.close()
