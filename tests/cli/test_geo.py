import json
from ipaddress import ip_address
from pathlib import Path

import pytest

from georouter.geo.locate import locate
from georouter.sources.geo_files import load_map
from tests.cli.conftest import Run
from tests.geo.records import WORLD
from tests.geo.writer import write


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A small city database that says whose it is."""
    path = tmp_path / "city.mmdb"
    path.write_bytes(write(WORLD, type="DBIP-City-Lite"))
    return str(path)


def test_info_of_the_built_in_map(run: Run) -> None:
    """What it is, what it can tell, and whom to thank."""
    result = run("geo", "info")
    assert result.exit_code == 0
    assert "DB-IP City Lite" in result.output
    assert "subdivision" in result.output
    assert "db-ip.com" in result.output


def test_info_as_json(run: Run, database: str) -> None:
    """Numbers are numbers."""
    shown = json.loads(run("geo", "info", "--database", database, "--json").output)
    assert shown["database"] == "DBIP-City-Lite"
    assert shown["built"] == "2023-11-14 22:13:20Z"
    assert "city" in shown["kinds"]
    assert (shown["places"], shown["countries"], shown["cities"]) == (5, 4, 4)
    assert shown["placed_addresses_ipv4"] == 2**24 + 2**23 + 2**25
    assert "db-ip.com" in shown["attribution"]


def test_lookup(run: Run, database: str) -> None:
    """Several addresses of both families; the attribution stands below."""
    result = run("geo", "lookup", "1.2.3.4", "2001:db8::1", "9.9.9.9", "--database", database)
    assert result.exit_code == 0
    for text in ("1.2.3.4/32", "France (FR)", "FR-IDF", "Paris", "48.85, 2.35", "London", "not placed"):
        assert text in result.output
    assert result.output.strip().endswith("https://db-ip.com)")


def test_lookup_as_json(run: Run, database: str, tmp_path: Path) -> None:
    """Everything that is known, null for the rest; with the AS where a database tells it."""
    asn = tmp_path / "asn.mmdb"
    asn.write_bytes(write({"1.0.0.0/8": {"autonomous_system_number": 64500}}))
    result = run(
        "geo", "lookup", "--json", "--database", database, "--asn-database", str(asn), "1.2.3.5", "9.9.9.9"
    )
    shown = json.loads(result.output)
    assert "db-ip.com" in shown["attribution"]
    assert shown["results"][0] == {
        "address": "1.2.3.5", "network": "1.2.3.5/32", "country": "GB", "country_name": "United Kingdom",
        "continent": "EU", "subdivision": "GB-ENG", "subdivision_name": "England", "city": "London",
        "lat": 51.5, "lon": -0.125, "asn": 64500,
    }  # fmt: skip
    assert [shown["results"][1][key] for key in ("country", "city", "lat", "asn")] == [None] * 4


def test_lookup_uses_the_built_in_map(run: Run) -> None:
    """A mapped address is the IPv4 one."""
    result = run("geo", "lookup", "::ffff:8.8.8.8", "--json")
    assert json.loads(result.output)["results"][0]["country"] == "US"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("lookup",), 2),
        (("lookup", "example.com"), 2),
        (("lookup", "1.2.3.4", "--database", "missing.mmdb"), 1),
        (("info", "--database", "missing.mmdb"), 1),
        (("info", "--no-such-option"), 2),
        (("build", "missing.mmdb", "-o", "out.geomap"), 1),
        (("build", "missing.mmdb"), 2),
    ],
)
def test_exit_codes(run: Run, arguments: tuple[str, ...], code: int) -> None:
    """1: the file cannot be used; 2: the command was not understood. Neither prints a traceback."""
    result = run("geo", *arguments)
    assert result.exit_code == code
    assert isinstance(result.exception, SystemExit)
    assert "Error:" in result.output


def test_build(run: Run, database: str, tmp_path: Path) -> None:
    """The written map is loaded like a database, says what it was told, and keeps countries."""
    output = tmp_path / "small.geomap"
    result = run("geo", "build", database, "-o", str(output), "--name", "Ours 2026-01")
    assert result.exit_code == 0
    assert "db-ip.com" in result.output
    map_ = load_map([str(output)])
    assert map_.info.database == "Ours 2026-01"
    assert "db-ip.com" in map_.info.attribution
    row, _ = locate(map_, ip_address("1.2.3.4"))
    assert map_.places.country[row] == b"FR"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_build_asks_whose_data_it_is(run: Run, tmp_path: Path) -> None:
    """A licence may ask for a name, so a map without one is not made by accident."""
    path = tmp_path / "city.mmdb"
    path.write_bytes(write(WORLD, type="city"))
    assert run("geo", "build", str(path), "-o", "out.geomap").exit_code == 2
    result = run("geo", "build", str(path), "-o", "out.geomap", "--attribution", "By us")
    assert result.exit_code == 0
    assert "By us" in result.output
    assert load_map(["out.geomap"]).info.attribution == "By us"


def test_build_into_a_folder_that_is_not_there(run: Run, database: str) -> None:
    """The reason is told."""
    result = run("geo", "build", database, "-o", "no/such/folder/out.geomap")
    assert result.exit_code == 1
    assert "No such file" in result.output
