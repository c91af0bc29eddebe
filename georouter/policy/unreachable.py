"""Geo rules that can never match, wholly or in part, because an earlier rule is wider."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from georouter.geo import codes
from georouter.geo.map import Network
from georouter.policy.nodes import Path
from georouter.policy.report import Report
from georouter.policy.steps import GeoRule, Match


def check_rules(rules: Sequence[GeoRule], path: Path, report: Report) -> None:
    """Warn about rules after the default, rules wholly covered and values already covered."""
    seen = _Seen()
    for index, rule in enumerate(rules):
        where = (*path, index)
        if seen.default is not None:
            report.warn(where, f"is never reached: rule {seen.default + 1} has no match and takes everybody")
            continue
        if rule.match is None:
            seen.default = index
            continue
        covered, total = _covered(rule.match, seen)
        if covered and len(covered) == total:
            earlier = {taker for _, _, taker in covered}
            who = f"rule {earlier.pop() + 1} takes" if len(earlier) == 1 else "earlier rules take"
            report.warn(where, f"is never reached: {who} all of it")
        else:
            for kind, value, row in covered:
                message = f'"{value}" is never reached: rule {row + 1} takes it; put this rule first'
                report.warn((*where, "match", kind), message)
        seen.add(rule.match, index)


@dataclass(slots=True)
class _Seen:
    """What earlier rules took, each with the index of the rule."""

    default: int | None = None
    networks: dict[Network, int] = field(default_factory=dict)
    asns: dict[int, int] = field(default_factory=dict)
    cities: dict[str, int] = field(default_factory=dict)
    subdivisions: dict[str, int] = field(default_factory=dict)
    countries: dict[str, int] = field(default_factory=dict)
    """Directly, or through a continent or group."""

    def add(self, match: Match, index: int) -> None:
        for network in match.networks:
            self.networks.setdefault(network, index)
        for asn in match.asns:
            self.asns.setdefault(asn, index)
        for city in match.cities:
            self.cities.setdefault(city, index)
        for subdivision in match.subdivisions:
            self.subdivisions.setdefault(subdivision, index)
        for country in _countries(match):
            self.countries.setdefault(country, index)

    def network(self, network: Network) -> int | None:
        for earlier, index in self.networks.items():
            if earlier.version == network.version and network.subnet_of(earlier):  # type: ignore[arg-type]
                return index
        return None

    def subdivision(self, code: str) -> int | None:
        own = self.subdivisions.get(code)
        return own if own is not None else self.countries.get(code.partition("-")[0])

    def all_of(self, countries: frozenset[str]) -> int | None:
        """The last rule needed to take every one of `countries`."""
        taken = [self.countries.get(country) for country in countries]
        found = [index for index in taken if index is not None]
        return max(found) if found and len(found) == len(taken) else None


def _covered(match: Match, seen: _Seen) -> tuple[list[tuple[str, str, int]], int]:
    """Values of `match` that were taken before (kind, value, rule), and how many values there are."""
    found: list[tuple[str, str, int | None]] = []
    found += [("network", str(item), seen.network(item)) for item in match.networks]
    found += [("asn", str(item), seen.asns.get(item)) for item in match.asns]
    found += [("city", item, seen.cities.get(item)) for item in match.cities]
    found += [("subdivision", item, seen.subdivision(item)) for item in match.subdivisions]
    found += [("country", item, seen.countries.get(item)) for item in match.countries]
    found += [("continent", item, seen.all_of(_of_continent(item))) for item in match.continents]
    found += [("group", item, seen.all_of(codes.GROUPS[item])) for item in match.groups]
    return [(kind, value, rule) for kind, value, rule in found if rule is not None], len(found)


def _countries(match: Match) -> frozenset[str]:
    found = set(match.countries)
    for continent in match.continents:
        found |= _of_continent(continent)
    for group in match.groups:
        found |= codes.GROUPS[group]
    return frozenset(found)


def _of_continent(continent: str) -> frozenset[str]:
    return frozenset(code for code, country in codes.COUNTRIES.items() if country.continent == continent)
