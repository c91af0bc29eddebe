"""The tenant directory that a `pin` step names: read, checked, packed."""

import re
from array import array
from collections.abc import Mapping

from georouter.geo.codes import COUNTRIES, GROUPS
from georouter.policy import suggest
from georouter.policy.model import Region
from georouter.policy.nodes import Path
from georouter.policy.report import Line
from georouter.policy.resolve.context import Context
from georouter.policy.tenant_files import ENDINGS, Living, format_of, rows
from georouter.policy.tenants import (
    EMPTY,
    MOST_KINDS,
    ReadDirectory,
    Tenancy,
    TenantDirectory,
    TenantState,
    make_directory,
    pack,
)
from georouter.words.ids import RegionName

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_BETWEEN = re.compile(r"[\s|;,]+")
_STATES = tuple(state.value for state in TenantState)


def resolve(  # noqa: PLR0917 - one mention of a file
    name: str,
    path: Path,
    regions: Mapping[RegionName, Region],
    homes: tuple[RegionName, ...],
    service: str,
    context: Context,
) -> TenantDirectory:
    """The directory in the file `name`, named at `path`, for a service with the regions `homes`.

    An empty one after its problems were reported, or where nobody asks for the files of a policy.
    """
    if format_of(name) is None:
        context.report.error(path, f'"{name}" is no tenant file; its name ends with {ENDINGS}')
        return EMPTY
    if context.zone_files is None:
        return EMPTY
    file = context.absolute(name, path)
    read = context.directories.get(file)
    if read is None:
        read = context.directories[file] = _read(file, path, regions, context)
    for tenancy, line in zip(read.directory.kinds, read.lines, strict=True):
        for what, region in (("home", tenancy.home), ("moving_to", tenancy.moving_to)):
            if region is not None and region not in homes and region in regions:
                message = f'{what}: region "{region}" is not among the regions of service "{service}"'
                context.report.error(Line(file, line), message)
    return read.directory


def _read(name: str, path: Path, regions: Mapping[RegionName, Region], context: Context) -> ReadDirectory:
    found = (context.zone_files or {}).get(name)
    if found is None or found.problem:
        reason = found.problem if found is not None else "it was not there"
        context.report.error(path, f"{name} cannot be read: {reason}")
        return ReadDirectory(EMPTY)
    reader = _Reader(name, regions, context)
    reader.read(found.text)
    if not reader.labels:
        if not reader.problems:
            message = f'{name} has no tenants; give it rows such as "acme,eu-west" below "tenant,home"'
            context.report.error(path, message)
        return ReadDirectory(EMPTY)
    packed = pack(reader.labels, reader.kind)
    for first, second in packed.double:
        message = f'tenant "{reader.labels[second].decode()}" is on line {reader.line[first]} already'
        context.report.error(Line(name, reader.line[second]), message)
    directory = make_directory(name, reader.kinds, packed.tenants)
    return ReadDirectory(directory, tuple(reader.first))


class _Reader:
    """Collects the good rows of one file and reports the others."""

    def __init__(self, name: str, regions: Mapping[RegionName, Region], context: Context) -> None:
        self.name = name
        self.regions = regions
        self.context = context
        self.labels: list[bytes] = []
        self.kind, self.line = array("H"), array("I")
        self.kinds: list[Tenancy] = []
        self.first: list[int] = []
        self.problems = False
        self._known: dict[Living, int | str] = {}
        """The kind, or what is wrong with it."""
        self._numbers: dict[Tenancy, int] = {}

    def read(self, text: str) -> None:
        """Every row."""
        form = format_of(self.name)
        assert form is not None  # noqa: S101 - `resolve` has looked
        match, known = _LABEL.fullmatch, self._known
        for line, tenant, living in rows(text, form, self.tell):
            label = tenant.lower()
            if match(label) is None:
                self.tell(line, _no_label(tenant))
                continue
            kind = known.get(living)
            if kind is None:
                kind = known[living] = self._kind(living, line)
            if isinstance(kind, str):
                self.tell(line, kind)
                continue
            self.labels.append(label.encode())
            self.kind.append(kind)
            self.line.append(line)

    def tell(self, line: int, message: str) -> None:
        """An error in this line."""
        self.problems = True
        printable = message.encode("utf-8", "backslashreplace").decode()
        self.context.report.error(Line(self.name, line), printable)

    def _kind(self, living: Living, line: int) -> int | str:
        try:
            tenancy = self._tenancy(*living)
        except ValueError as error:
            return str(error)
        number = self._numbers.setdefault(tenancy, len(self.kinds))
        if number == MOST_KINDS:
            return f"more than {MOST_KINDS} combinations of home, residency and state"
        if number == len(self.kinds):
            self.kinds.append(tenancy)
            self.first.append(line)
        return number

    def _tenancy(self, home: str, residency: str, state: str, moving_to: str) -> Tenancy:
        """Raises ValueError with what is wrong."""
        state = state.lower() or TenantState.ACTIVE
        if state not in _STATES:
            raise ValueError(suggest.unknown("state", state, _STATES))
        allowed = self._residency(residency) if residency else None
        target = None
        if state == TenantState.MOVING:
            if not moving_to:
                raise ValueError('state "moving" needs the next home in "moving_to"')
            target = self._region("moving_to", moving_to, residency, allowed)
        elif moving_to:
            raise ValueError('"moving_to" is for state "moving"; when the move is done, it is the "home"')
        region = self._region("home", home, residency, allowed)
        if region == target:
            raise ValueError(f'"moving_to" is the home, "{home}", itself')
        return Tenancy(region, allowed, TenantState(state), target)

    def _region(
        self, what: str, name: str, residency: str, allowed: frozenset[RegionName] | None
    ) -> RegionName:
        if not name:
            raise ValueError(f"{what}: expected a region, found nothing")
        if name not in self.context.regions:
            raise ValueError(f"{what}: {suggest.unknown('region', name, self.context.regions)}")
        if allowed is not None and name in self.regions and name not in allowed:
            raise ValueError(f'{what}: region "{name}" lies outside the residency "{residency}"')
        return RegionName(name)

    def _residency(self, text: str) -> frozenset[RegionName]:
        found: set[RegionName] = set()
        for item in filter(None, _BETWEEN.split(text)):
            found |= self._allowed(item)
        return frozenset(found)

    def _allowed(self, item: str) -> frozenset[RegionName]:
        """The regions that one word of a residency names."""
        if item in self.context.regions:
            return frozenset({RegionName(item)})
        key, mark, value = item.replace(":", "=", 1).partition("=")
        if mark:
            named = (name for name, region in self.regions.items() if region.labels.get(key) == value)
            lacking = f'no region has the label "{key}: {value}"'
        elif item in GROUPS or item in COUNTRIES:
            countries = GROUPS.get(item, frozenset({item}))
            named = (
                name
                for name, region in self.regions.items()
                if region.location is not None and region.location.country in countries
            )
            lacking = f'no region has a location with a "country" in {item}'
        else:
            words = (*self.context.regions, *GROUPS)
            raise ValueError(
                f"residency: {suggest.unknown('region or group', item, words)}; labels are written key=value"
            )
        allowed = frozenset(named)
        if not allowed:
            raise ValueError(f"residency: {lacking}")
        return allowed


def _no_label(tenant: str) -> str:
    if not tenant:
        return "tenant: expected a name, found nothing"
    if "." in tenant:
        label = tenant.partition(".")[0] or "acme"
        return f'tenant: found "{tenant[:70]}"; one label such as "{label}" is enough'
    hint = "" if tenant.isascii() else ", others in their xn-- form"
    return f'tenant: "{tenant[:70]}" is no label: at most 63 letters, digits, dashes and underscores{hint}'
