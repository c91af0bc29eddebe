"""Places that operators name: coordinates, countries, subdivisions, continents, groups, networks."""

from ipaddress import IPv4Network, IPv6Network, ip_network

from georouter.answers import networks
from georouter.answers.networks import Networks
from georouter.geo import codes
from georouter.geo.map import Network
from georouter.policy import suggest
from georouter.policy.model import Location
from georouter.policy.nodes import Path
from georouter.policy.resolve.context import Context
from georouter.policy.written_geo import LocationFile

LONGEST_IPV6_PREFIX = 64
"""The map knows IPv6 addresses by their top 64 bits."""

_HABITS = {"UK": "GB", "EL": "GR", "USA": "US", "GER": "DE"}
"""What people write for a country that ISO 3166 calls otherwise."""


def location(written: LocationFile, path: Path, context: Context) -> Location:
    """A point; its country, where named, is a known one."""
    if written.country is not None:
        country(written.country, (*path, "country"), context)
    return Location(written.lat, written.lon, written.country)


def country(code: str, path: Path, context: Context) -> bool:
    """Whether `code` is a country; if not, the reason is reported."""
    if code in codes.COUNTRIES:
        return True
    if code in codes.GROUPS:
        message = f'"{code}" is a group of countries; write group: [{code}]'
    elif code in codes.CONTINENTS:
        message = f'"{code}" is a continent; write continent: [{code}]'
    elif codes.is_subdivision(code):
        message = f'"{code}" is a subdivision; write subdivision: [{code}]'
    else:
        message = _unknown_country(code)
    context.report.error(path, message)
    return False


def _unknown_country(code: str) -> str:
    near = _HABITS.get(code.upper()) or (code.upper() if code.upper() in codes.COUNTRIES else None)
    if near is None:
        by_name = {item.name.lower(): key for key, item in codes.COUNTRIES.items()}
        name = suggest.nearest(code, by_name)
        near = by_name[name] if name else None
    hint = f'; did you mean "{near}" ({codes.COUNTRIES[near].name})?' if near else ""
    return f'unknown country "{code}"{hint or "; use ISO 3166-1 alpha-2 such as DE"}'


def subdivision(code: str, path: Path, context: Context) -> bool:
    """Whether `code` is a subdivision such as `US-CA`; if not, the reason is reported."""
    if codes.is_subdivision(code):
        return True
    message = f'unknown subdivision "{code}"'
    if code in codes.COUNTRIES:
        message = f'"{code}" is a country; write country: [{code}]'
    elif codes.is_subdivision(code.upper().replace("_", "-")):
        message += f'; did you mean "{code.upper().replace("_", "-")}"?'
    elif "-" in code and country_of(code) not in codes.COUNTRIES:
        message += f'; there is no country "{country_of(code)}"'
    else:
        message += _full_codes(code) or "; use ISO 3166-2 such as US-CA"
    context.report.error(path, message)
    return False


def _full_codes(code: str) -> str:
    """`CA-ON (Ontario)` for someone who wrote `ON`; empty when it could be too many."""
    ending = f"-{code.upper()}"
    meant = [f"{full} ({name})" for full, name in codes.subdivision_names().items() if full.endswith(ending)]
    return f"; did you mean {' or '.join(sorted(meant))}?" if 0 < len(meant) <= 4 else ""


def country_of(subdivision_code: str) -> str:
    """`US` of `US-CA`."""
    return subdivision_code.partition("-")[0]


def continent(code: str, path: Path, context: Context) -> bool:
    """Whether `code` is a continent; if not, the reason is reported."""
    if code not in codes.CONTINENTS and code in codes.GROUPS:
        context.report.error(path, f'"{code}" is a group of countries; write group: [{code}]')
        return False
    return context.known("continent", code, codes.CONTINENTS, path)


def group(code: str, path: Path, context: Context) -> bool:
    """Whether `code` is a group of countries; if not, the reason is reported."""
    if code not in codes.GROUPS and code in codes.COUNTRIES:
        context.report.error(path, f'"{code}" is a country; write country: [{code}]')
        return False
    if code not in codes.GROUPS and code in codes.CONTINENTS:
        context.report.error(path, f'"{code}" is a continent; write continent: [{code}]')
        return False
    return context.known("group", code, codes.GROUPS, path)


def network(text: str, path: Path, context: Context, *, key: bool = False) -> Network | None:
    """A CIDR network whose host bits are zero, IPv6 at most /64; None after the reason was reported."""
    try:
        found = parse_network(text)
    except ValueError as error:
        context.report.error(path, str(error), key=key)
        return None
    if isinstance(found, IPv6Network) and found.prefixlen > LONGEST_IPV6_PREFIX:
        wider = found.supernet(new_prefix=LONGEST_IPV6_PREFIX)
        message = f'"{text}" is longer than /{LONGEST_IPV6_PREFIX}; the longest that fits is {wider}'
        context.report.error(path, message, key=key)
        return None
    return found


def source_networks(written: list[str], path: Path, context: Context) -> Networks:
    """Networks of source addresses; a single address is a network of one."""
    found: list[Network] = []
    for index, text in enumerate(written):
        try:
            found.append(parse_network(text))
        except ValueError as error:
            context.report.error((*path, index), str(error))
    return networks.of(found)


def parse_network(text: str) -> Network:
    """A network of either family. Raises ValueError with what would be right."""
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f'"{text}" is not a network; write it like 192.0.2.0/24 or 2001:db8::/32') from None
    if "%" in text:
        raise ValueError(f'"{text}" has a zone index; leave out everything from the "%"')
    if _host_bits(text):
        raise ValueError(f'"{text}" has bits set beyond its prefix; did you mean {found}?')
    if isinstance(found, IPv6Network) and found.network_address.ipv4_mapped and found.prefixlen >= 96:
        inner = IPv4Network((found.network_address.ipv4_mapped, found.prefixlen - 96))
        raise ValueError(f'"{text}" is a mapped IPv4 network; write {inner}')
    return found


def _host_bits(text: str) -> bool:
    try:
        ip_network(text, strict=True)
    except ValueError:
        return True
    return False
