"""The `records:` of a zone: owner names to a ledger of records, and the names that services answer."""

from dataclasses import dataclass, field

from georouter.policy import asterisks, suggest, units
from georouter.policy.fields import LARGEST_TTL_S
from georouter.policy.nodes import Node, Path, describe
from georouter.policy.refused import SIGNED, signed_text
from georouter.policy.report import Report
from georouter.policy.resolve.context import Context
from georouter.policy.resolve.ledger import Ledger
from georouter.policy.shape import not_yet
from georouter.wire import codes, names
from georouter.wire.rdata import parse_rdata, stored_type

_SUGGESTED = (
    *("A", "AAAA", "CAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SRV", "SVCB", "TXT"),
    *("alias", "service", "ttl"),
)
_ALIASES = frozenset({"ALIAS", "ANAME"})
"""How others write an alias record."""


@dataclass(frozen=True, slots=True)
class Answering:
    """The service that answers a name, and where that is written."""

    service: str
    path: Path


@dataclass(frozen=True, slots=True)
class Aliasing:
    """The name (lower-case wire format) whose addresses answer a name, and where that is written."""

    target: bytes
    ttl_s: int | None
    path: Path
    text: str


@dataclass(slots=True)
class Owner:
    """Where a name is written, and who answers it."""

    name: bytes
    path: Path
    answering: Answering | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the records of the zone at `path` whose apex is `apex` (lower-case wire format) into `ledger`.

    `services` and `aliases` are the names (lower-case wire format) that services, or other names, answer.
    """

    zone: str
    apex: bytes
    ttl_s: int
    path: Path
    context: Context
    ledger: Ledger
    services: dict[bytes, Answering] = field(default_factory=dict)
    aliases: dict[bytes, Aliasing] = field(default_factory=dict)

    @property
    def report(self) -> Report:
        """Where findings go."""
        return self.context.report

    def read(self, node: Node | None) -> None:
        """Everything below `records:`."""
        if node is None or node.value is None:
            return
        if not isinstance(node.value, dict):
            self.report.error((*self.path, "records"), f"expected a mapping, found {describe(node.value)}")
            return
        for key, value in node.value.items():
            path: Path = (*self.path, "records", key)
            name = self.owner(key, path)
            if name is not None:
                self.value(Owner(name, path, self.services.get(name)), value, path)

    def owner(self, key: str, path: Path) -> bytes | None:
        """The absolute name of a key, None after the reason against it was reported."""
        try:
            name = names.lower(names.parse_relative(key, self.apex))
        except ValueError as error:
            self.report.error(path, str(error), key=True)
            return None
        if not key.endswith(".") or names.is_below(name, self.apex):
            odd = asterisks.odd(name) if "*" in key else None
            if odd:
                self.report.warn(path, odd, key=True)
            return name
        self.report.error(
            path, f'is not in the zone "{self.zone}"; a key that ends with a dot is absolute', key=True
        )
        return None

    def value(self, owner: Owner, node: Node, path: Path) -> None:
        """One record, or a list of them."""
        if isinstance(node.value, list):
            if not node.value:
                self.report.error(path, "the list is empty; remove the name or give it a record")
            for index, item in enumerate(node.value):
                self.mapping(owner, item, (*path, index))
        else:
            self.mapping(owner, node, path)

    def mapping(self, owner: Owner, node: Node, path: Path) -> None:
        """`{service: name}`, `{alias: name}`, `{TYPE: data}`, several of them, with or without `ttl`."""
        if not isinstance(node.value, dict):
            self.report.error(path, _not_a_record(node))
            return
        entries = node.value
        ttl_s = self.ttl(entries["ttl"], (*path, "ttl")) if "ttl" in entries else self.ttl_s
        for name, item in entries.items():
            if name == "service":
                self.service(owner, item, (*path, name))
            elif name == "alias":
                self.alias(owner, item, ttl_s if "ttl" in entries else None, (*path, name))
            elif name != "ttl":
                self.records(owner, name, item, ttl_s, (*path, name))
        if not entries.keys() - {"ttl"}:
            self.report.error(path, "holds no record; write {A: 192.0.2.1} or {service: name}")
        elif "ttl" in entries and not entries.keys() - {"ttl", "service"}:
            self.report.error((*path, "ttl"), "the TTL of a steered name is that of its service", key=True)

    def ttl(self, node: Node, path: Path) -> int:
        """Whole seconds; the zone's after a finding."""
        try:
            seconds = units.duration_s(node.value)
        except ValueError as error:
            self.report.error(path, str(error))
            return self.ttl_s
        if seconds > LARGEST_TTL_S:
            self.report.error(path, f"a TTL is at most {LARGEST_TTL_S}s (RFC 2181)")
            return self.ttl_s
        if seconds != int(seconds):
            self.report.error(path, "a TTL counts whole seconds; write it like 30s, 5m or 1h")
            return self.ttl_s
        return int(seconds)

    def service(self, owner: Owner, node: Node, path: Path) -> None:
        """A reference to a service; a name has at most one."""
        if not isinstance(node.value, str):
            self.report.error(path, f"expected the name of a service, found {describe(node.value)}")
        elif owner.answering is not None:
            self.report.error(path, f'the name is already answered by service "{owner.answering.service}"')
        elif self.context.known("service", node.value, self.context.services, path):
            self.services[owner.name] = owner.answering = Answering(node.value, path)

    def alias(self, owner: Owner, node: Node, ttl_s: int | None, path: Path) -> None:
        """The name whose addresses this one has; a name has at most one."""
        if not isinstance(node.value, str):
            self.report.error(path, f"expected a name, found {describe(node.value)}")
            return
        for type_name in ("A", "AAAA"):
            if _fits(type_name, node.value):
                self.report.error(path, f'"{node.value}" is an address; write {{{type_name}: {node.value}}}')
                return
        try:
            target = names.lower(names.parse_relative(node.value, self.apex))
        except ValueError as error:
            self.report.error(path, str(error))
            return
        if owner.name in self.aliases:
            self.report.error(path, "a name has at most one alias")
        elif target == b"\0":
            self.report.error(path, 'expected a name, found "."')
        else:
            self.aliases[owner.name] = Aliasing(target, ttl_s, path, node.value)

    def records(self, owner: Owner, type_name: str, node: Node, ttl_s: int, path: Path) -> None:
        """The records of one type: one text or a list."""
        problem = _type_problem(type_name)
        if problem:
            self.report.error(path, problem, key=True)
            return
        items = node.value if isinstance(node.value, list) else [node]
        if not items:
            self.report.error(path, "the list is empty")
        for index, item in enumerate(items):
            where = (*path, index) if isinstance(node.value, list) else path
            self.record(owner, type_name, item, ttl_s, where)

    def record(self, owner: Owner, type_name: str, node: Node, ttl_s: int, path: Path) -> None:
        """One record of one type."""
        if type_name in ("HTTPS", "SVCB") and isinstance(node.value, dict):
            message = f"{type_name} data is text here; steered {type_name} records are written at the service"
            self.report.error(path, message)
            return
        if node.value is None or isinstance(node.value, dict | list):
            self.report.error(path, f"expected {type_name} data as text, found {describe(node.value)}")
            return
        try:
            number, rdata = parse_rdata(type_name, node.text, self.apex)
        except ValueError as error:
            self.report.error(path, str(error))
            return
        self.ledger.add(owner.name, number, ttl_s, rdata, self.ledger.path_place(path))


def _not_a_record(node: Node) -> str:
    if not isinstance(node.value, str):
        return (
            f"expected a record such as {{A: 192.0.2.1}} or {{service: name}}, found {describe(node.value)}"
        )
    for type_name in ("A", "AAAA"):
        if not _fits(type_name, node.value):
            continue
        return f"expected a record, found {describe(node.value)}; write {{{type_name}: {node.value}}}"
    return (
        f"expected a record, found {describe(node.value)}; write {{service: {node.value}}} or {{TYPE: data}}"
    )


def _fits(type_name: str, text: str) -> bool:
    try:
        parse_rdata(type_name, text, b"\0")
    except ValueError:
        return False
    return True


def _type_problem(name: str) -> str | None:
    if name in _ALIASES:
        return "an alias is written {alias: name}"
    if not_yet(name):
        return not_yet(name)
    try:
        number = stored_type(name)
    except ValueError as error:
        return str(error) if _is_type(name) else suggest.unknown("record type", name, _SUGGESTED)
    if name != name.upper():
        return f'record types are written in capitals: "{name.upper()}"'
    if number == codes.TYPE_SOA:
        return 'the SOA record is made from the zone\'s "soa" key'
    return signed_text(number) if number in SIGNED else None


def _is_type(name: str) -> bool:
    try:
        codes.type_number(name)
    except ValueError:
        return False
    return True
