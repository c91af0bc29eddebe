"""Reading the file of a zone and everything it includes into the zone's ledger.

    text ─► quick: the common lines, one match each ──────────────────┐
         └► entry: any other ─► directive ─► $ORIGIN $TTL $INCLUDE $GENERATE
                             └► owner, TTL, class, type ─► dnspython ─┴► ledger

Rules, and where they come from:

1. A name without final dot lies below the origin, `@` is the origin (RFC 1035 5.1).
2. A line that begins with a blank has the owner of the last record (RFC 1035 5.1).
3. The TTL of a record without one is that of `$TTL` (RFC 2308 4), else the last that was written (RFC
   1035 5.1), else for the SOA record its own minimum, as BIND has it, else the zone's `ttl`.
4. After `$INCLUDE` origin and owner are what they were before it (RFC 1035 5.1); `$TTL` stays.
5. Every error is reported with its line; the record is left out and reading goes on.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from georouter.policy import asterisks
from georouter.policy.fields import LARGEST_TTL_S
from georouter.policy.files import PolicyFile
from georouter.policy.refused import SIGNED, signed_text
from georouter.policy.report import Line, Report
from georouter.policy.resolve.ledger import LARGEST_ZONE, Ledger
from georouter.policy.zonefile import generate, quick
from georouter.policy.zonefile.entry import read_entry, take_word
from georouter.policy.zonefile.includes import ZoneSource, included_path, is_allowed
from georouter.wire import names
from georouter.wire.codes import TYPE_SOA
from georouter.wire.rdata import parse_zone_rdata, stored_type

DEEPEST = 8
"""Files that include each other."""
MOST_FILES = 1000
"""Inclusions in one zone."""
MOST_GENERATED = 1_000_000
"""Records that `$GENERATE` may make in one zone."""

_SOMETIMES = 0xFFFF
"""Common lines between two looks at the size of the zone."""

_TTL = re.compile(r"(?=\d)(?:\d{1,10}[wdhms])*(?:\d{1,10})?\Z", re.IGNORECASE | re.ASCII)
"""Digits without unit at the end only: were they allowed elsewhere, there would be no end of ways to read
a row of digits."""
_TTL_PART = re.compile(r"(\d+)([wdhms]?)", re.IGNORECASE | re.ASCII)
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "": 1}
_QUOTED = re.compile(r'"([^"]+)"\s*')
_CLASS = re.compile(r"(?:IN|CH|HS|CS|CLASS\d+)\Z", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class FileSoa:
    """The SOA record of a zone file: its data as in messages."""

    rdata: bytes
    ttl_s: int
    place: Line


def read_zone(
    source: ZoneSource,
    apex: bytes,
    ttl_s: int,
    *,
    files: Mapping[str, PolicyFile],
    ledger: Ledger,
    report: Report,
) -> FileSoa | None:
    """Read the zone `apex` (lower-case wire) from `source`, which is among `files`. Its SOA if it has one."""
    reader = _Reader(source, apex, ttl_s, files, ledger, report, names=quick.Names(apex))
    reader.file(files[source.name].text, source.name)
    reader.say_signed()
    return reader.soa


@dataclass(slots=True)
class _Reader:
    """State that all files of a zone share. `last` is the owner of the last record."""

    source: ZoneSource
    apex: bytes
    zone_ttl_s: int
    files: Mapping[str, PolicyFile]
    ledger: Ledger
    report: Report
    names: quick.Names
    soa: FileSoa | None = None
    last: bytes | None = None
    default_ttl_s: int | None = None
    """Of `$TTL`."""
    last_ttl_s: int | None = None
    """The last that was written."""
    stack: list[str] = field(default_factory=list)
    included: int = 0
    generated: int = 0
    signed: Counter[int] = field(default_factory=Counter)
    signed_at: dict[int, Line] = field(default_factory=dict)
    full: bool = False
    outside: bool = False
    """Whether relative names are not in the zone."""

    def file(self, text: str, name: str) -> None:
        """Every entry of one file."""
        self.stack.append(name)
        base = self.ledger.source(name)
        at, line, size = 1 if text.startswith("\ufeff") else 0, 1, len(text)
        text_match, one_line, odd = quick.LINE.match, self.line, self.entry
        while at < size and not self.full:
            found = text_match(text, at)
            if found is not None and one_line(found, base + line):
                at = found.end()
                line += 1
                if not line & _SOMETIMES:
                    self.bounded(Line(name, line))
                continue
            try:
                entry = read_entry(text, at)
            except ValueError as error:
                self.report.error(Line(name, line), str(error))
                at = text.find("\n", at) + 1 or size
                line += 1
                continue
            if entry.text.strip():
                odd(entry.text, Line(name, line), base + line)
            at = entry.stop
            line += entry.lines
            self.bounded(Line(name, line))
        if text and not text.endswith("\n"):
            self.report.warn(Line(name, line - 1), "the last line has no end: is this the whole file?")
        self.stack.pop()

    def line(self, found: "re.Match[str]", place: int) -> bool:
        """Take a common line; False when it needs a closer look, with nothing done."""
        text, before, behind = found.group(1, 2, 3)
        data = quick.data(found, self.names)
        if data is None:
            return False
        if text is None:
            name = self.last
            if name is not None and not names.is_below(name, self.apex):
                return False
        else:
            name = self.names.read(text)
            if name is not None:
                name = names.lower(name)
                if (text[-1] == "." or self.outside) and not names.is_below(name, self.apex):
                    return False
                if b"*" in name and asterisks.odd(name):
                    return False
        if name is None:
            return False
        if before or behind:
            if before and behind:
                return False
            ttl_s = int(before or behind)
            if ttl_s > LARGEST_TTL_S:
                return False
            self.last_ttl_s = ttl_s
        else:
            ttl_s = self.ttl()
        self.last = name
        number, rdata = data
        ledger = self.ledger  # its `add`, written out: this runs a million times
        ledger.owner.append(ledger.names.setdefault(name, len(ledger.names)))
        ledger.type.append(number)
        ledger.ttl.append(ttl_s)
        ledger.at.append(len(ledger.data))
        ledger.data += len(rdata).to_bytes(2) + rdata
        ledger.place.append(place)
        return True

    def ttl(self) -> int:
        """Of a record that names none."""
        if self.default_ttl_s is not None:
            return self.default_ttl_s
        return self.zone_ttl_s if self.last_ttl_s is None else self.last_ttl_s

    # -- whatever is not a common line -------------------------------------------------------------

    def entry(self, text: str, where: Line, place: int) -> None:
        """A directive or a record, reported at `where` if there is something wrong with it."""
        try:
            if text.startswith("$"):
                self.directive(text, where, place)
            else:
                self.record(text, where, place)
        except ValueError as error:
            self.report.error(where, str(error))

    def record(self, text: str, where: Line, place: int) -> None:
        """`[owner] [TTL] [class] type data`, TTL and class in any order."""
        name = self.last
        if not text[0].isspace():
            word, text = take_word(text)
            name = names.lower(names.parse_relative(word, self.names.origin))
        if name is None:
            raise ValueError("the first record has no owner to take over from the one before")
        self.last = name
        ttl_s, kind, text = self.head(text.lstrip())
        number = stored_type(kind)
        if not names.is_below(name, self.apex):
            inside = names.name_text(self.apex)
            raise ValueError(f"{names.name_text(name)} is not in the zone {inside}")
        if number in SIGNED:
            self.signed[number] += 1
            self.signed_at.setdefault(number, where)
            return
        rdata = parse_zone_rdata(number, text, self.names.origin)
        if number == TYPE_SOA:
            self.start_of_authority(name, ttl_s, rdata, where)
            return
        odd = asterisks.odd(name) if b"*" in name else None
        if odd:
            self.report.warn(where, odd)
        self.ledger.add(name, number, self.ttl() if ttl_s is None else ttl_s, rdata, place)

    def head(self, text: str) -> tuple[int | None, str, str]:
        """TTL, type and the rest."""
        ttl_s, has_class = None, False
        while True:
            word, rest = take_word(text)
            if ttl_s is None and _TTL.match(word):
                ttl_s = self.last_ttl_s = seconds(word)
            elif not has_class and _CLASS.match(word):
                if word.upper() not in ("IN", "CLASS1"):
                    raise ValueError(f"class {word.upper()}: zones hold class IN")
                has_class = True
            elif word:
                return ttl_s, word, rest
            else:
                raise ValueError("expected a record: [owner] [TTL] [IN] type data")
            text = rest

    def start_of_authority(self, name: bytes, ttl_s: int | None, rdata: bytes, where: Line) -> None:
        """The zone's own SOA record, once."""
        if name != self.apex:
            raise ValueError(f"the SOA record of {names.name_text(name)} does not belong into this zone")
        if self.soa is not None:
            raise ValueError(
                f"a zone has one SOA record; the first is at {self.report.where(self.soa.place)}"
            )
        if ttl_s is None and self.default_ttl_s is None and self.last_ttl_s is None:
            self.last_ttl_s = min(int.from_bytes(rdata[-4:]), LARGEST_TTL_S)
        self.soa = FileSoa(rdata, self.ttl() if ttl_s is None else ttl_s, where)

    # -- directives --------------------------------------------------------------------------------

    def directive(self, text: str, where: Line, place: int) -> None:
        """A line that begins with a dollar sign."""
        word, rest = take_word(text)
        match word.upper():
            case "$ORIGIN":
                self.origin(self.only_word(rest, "a name"))
            case "$TTL":
                self.default_ttl_s = seconds(self.only_word(rest, "a TTL"))
            case "$INCLUDE":
                self.include(rest, where)
            case "$GENERATE":
                self.generate(rest, where, place)
            case _:
                raise ValueError(f"unknown directive {word}; known: $GENERATE, $INCLUDE, $ORIGIN, $TTL")

    def only_word(self, text: str, what: str) -> str:
        """The one word that a directive takes."""
        word, rest = take_word(text)
        if not word or rest:
            raise ValueError(f"expected {what}, found '{text}'")
        return word

    def origin(self, text: str) -> None:
        """Names below it from now on."""
        self.names = quick.Names(names.parse_relative(text, self.names.origin))
        self.outside = not names.is_below(names.lower(self.names.origin), self.apex)

    def include(self, text: str, where: Line) -> None:
        """`$INCLUDE file [origin]`."""
        quoted = _QUOTED.match(text)
        written, rest = (quoted[1], text[quoted.end() :]) if quoted else take_word(text)
        if not written:
            raise ValueError("$INCLUDE needs the name of a file")
        path = included_path(written, where.file)
        if not is_allowed(path, self.source):
            folders = " and ".join(self.source.folders)
            raise ValueError(f"$INCLUDE reads files below {folders} only, not {path}")
        if path in self.stack:
            raise ValueError(f"{path} includes itself")
        if len(self.stack) >= DEEPEST or self.included >= MOST_FILES:
            raise ValueError(f"more than {DEEPEST} files deep or {MOST_FILES} files in all are not included")
        file = self.files.get(path)
        if file is None or file.problem:
            raise ValueError(f"{path} cannot be read: {file.problem if file else 'it was not there'}")
        before, last, outside = self.names, self.last, self.outside
        if rest:
            self.origin(self.only_word(rest, "an origin"))
        self.included += 1
        self.file(file.text, path)
        self.names, self.last, self.outside = before, last, outside

    def generate(self, text: str, where: Line, place: int) -> None:
        """`$GENERATE range owner [TTL] [class] type data`."""
        span, template = generate.split_range(text)
        self.generated += len(span)
        if self.generated > MOST_GENERATED:
            raise ValueError(f"$GENERATE makes more than {MOST_GENERATED:,} records in this zone")
        for made in generate.expand(span, template):
            found = quick.LINE.fullmatch(made)
            if found is None or not self.line(found, place):
                self.record(made, where, place)

    # -- bounds ------------------------------------------------------------------------------------

    def bounded(self, where: Line) -> None:
        """Stop when the zone grows too large."""
        if len(self.ledger) > LARGEST_ZONE and not self.full:
            self.full = True
            self.report.error(where, f"the zone has more than {LARGEST_ZONE:,} records")

    def say_signed(self) -> None:
        """One finding per type: a signed zone has at least one such record for every name."""
        for number, count in self.signed.items():
            self.report.error(
                self.signed_at[number], f"{signed_text(number)} ({count:,} of them in this zone)"
            )


def seconds(text: str) -> int:
    """A TTL: seconds, or BIND's `1h30m`. ValueError with a reason."""
    if not _TTL.match(text):
        raise ValueError(f"'{text}' is not a TTL such as 3600 or 1h30m")
    total = sum(int(number) * _SECONDS[unit.lower()] for number, unit in _TTL_PART.findall(text))
    if total > LARGEST_TTL_S:
        raise ValueError(f"a TTL is at most {LARGEST_TTL_S} seconds (RFC 2181), not {text}")
    return total
