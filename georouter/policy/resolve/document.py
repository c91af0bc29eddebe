"""The whole document: every piece read by itself, so that one broken piece hides no other."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel

from georouter.policy import shape
from georouter.policy.files import PolicyFile
from georouter.policy.model import Policy
from georouter.policy.nodes import Node
from georouter.policy.report import Report
from georouter.policy.resolve import checks, failover, geo, ramps, regions, server, services, tests, zones
from georouter.policy.resolve.context import Context
from georouter.policy.resolve.services import WrittenService
from georouter.policy.resolve.zones import WrittenZone
from georouter.policy.written import CheckFile, RegionFile
from georouter.policy.written_geo import GeoFile
from georouter.policy.written_server import ServerFile
from georouter.policy.written_tests import PolicyTestFile
from georouter.policy.zonefile.again import Readings
from georouter.wire import names

Model = TypeVar("Model", bound=BaseModel)

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?\Z")


@dataclass(slots=True)
class Written:
    """The pieces of a document; None stands for one whose errors have been reported."""

    server: ServerFile | None = None
    geo: GeoFile | None = None
    checks: dict[str, CheckFile | None] = field(default_factory=dict)
    regions: dict[str, RegionFile | None] = field(default_factory=dict)
    services: dict[str, WrittenService | None] = field(default_factory=dict)
    zones: dict[str, WrittenZone | None] = field(default_factory=dict)
    tests: list[PolicyTestFile | None] = field(default_factory=list)


def read(root: Node, report: Report) -> Written:
    """The shape of every piece; no piece looks at another."""
    written = Written(
        server=_single(ServerFile, root, "server", report),
        geo=_single(GeoFile, root, "geo", report),
        checks=_named(CheckFile, root, "checks", report),
        regions=_named(RegionFile, root, "regions", report),
    )
    for name, node in _entries(root, "services", report):
        written.services[name] = services.read(node, ("services", name), report)
    for name, node in _entries(root, "zones", report, free=True):
        written.zones[name] = zones.read(node, ("zones", name), report)
    listed = root.get("tests")
    if listed is not None and isinstance(listed.value, list):
        for index, node in enumerate(listed.value):
            written.tests.append(shape.read(PolicyTestFile, node, ("tests", index), report))
    return written


def resolve(
    written: Written,
    report: Report,
    root: str,
    zone_files: Mapping[str, PolicyFile] | None,
    readings: Readings | None = None,
) -> Policy:
    """The policy the pieces describe; only usable when `report` holds no error afterwards.

    `zone_files` are the zone files at hand, by absolute name; None leaves all of them out.
    `readings` are those of the last load.
    """
    context = Context(
        report=report,
        root=root,
        checks=frozenset(written.checks),
        regions=frozenset(written.regions),
        services=frozenset(written.services),
        zone_files=zone_files,
        keys=_key_names(report.root),
        readings=readings,
    )
    all_checks = checks.resolve(_whole(written.checks), context)
    all_regions = regions.resolve(_whole(written.regions), context)
    all_services = services.resolve(_whole(written.services), all_regions, context)
    failover.check_signals(all_services, all_regions, all_checks, context)
    ramps.check(all_services, all_regions, all_checks, context)
    all_zones = zones.resolve(_whole(written.zones), all_services, all_regions, context)
    return Policy(
        server=server.resolve(written.server or ServerFile(), context),
        geo=geo.resolve(written.geo or GeoFile(), context),
        checks=all_checks,
        regions=all_regions,
        services=all_services,
        zones=all_zones,
        tests=tests.resolve(written.tests, all_services, all_zones, context),
    )


def _single(model: type[Model], root: Node, name: str, report: Report) -> Model | None:
    node = root.get(name)
    if node is None or node.value is None:
        return None
    return shape.read(model, node, (name,), report)


def _named(model: type[Model], root: Node, section: str, report: Report) -> dict[str, Model | None]:
    return {
        name: shape.read(model, node, (section, name), report)
        for name, node in _entries(root, section, report)
    }


def _entries(root: Node, section: str, report: Report, *, free: bool = False) -> Iterable[tuple[str, Node]]:
    """The entries of a section whose names are fit to be names."""
    node = root.get(section)
    if node is None:
        return
    for name, child in node.items():
        if not free and not _NAME.match(name):
            report.error(
                (section, name),
                "a name holds letters, digits, dashes, dots and underscores, at most 63 characters",
                key=True,
            )
        yield name, child


def _key_names(root: Node) -> frozenset[bytes]:
    """Also of a server section with errors: those are not the zones'."""
    server = root.get("server")
    keys = server.get("keys") if server is not None else None
    found: set[bytes] = set()
    for name, _ in keys.items() if keys is not None else ():
        with suppress(ValueError):
            found.add(names.lower(names.parse_name(name)))
    return frozenset(found)


Piece = TypeVar("Piece")


def _whole(pieces: dict[str, Piece | None]) -> dict[str, Piece]:
    return {name: piece for name, piece in pieces.items() if piece is not None}
