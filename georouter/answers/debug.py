"""Debug names: TXT questions about what this server decides and believes, for networks that may ask them.

    _explain.www.example.com        how www.example.com A is answered for who asks, and why
    _explain-aaaa.www.example.com   the same for another type
    _state.web, _state.web.example.com   how the regions of the service `web` stand

Rule 1: the source address decides who may ask, never a client subnet. For everybody else, for other
        types and for names that exist, the names are what they would be without all this.
Rule 2: the packet path only recognises such a question. It is answered elsewhere, a moment later: see
        `server.aside`. So `respond` is silent about it.
Rule 3: an answer has TTL 0 and, with a client subnet, the scope of its source: nobody keeps it.
"""

import unicodedata
from dataclasses import dataclass
from struct import pack

from georouter.answers.lookup import NOT_OURS, closest_encloser
from georouter.answers.make import make_answer
from georouter.answers.networks import Networks
from georouter.answers.ratelimit import ANSWER, Rate, RateLimiter
from georouter.answers.tables import Answer, Directory
from georouter.wire.codes import CLASS_IN, EDE_OTHER, RCODE_SERVFAIL, TYPE_TXT
from georouter.wire.edns import ClientSubnet, make_error
from georouter.wire.message import Query
from georouter.wire.names import labels, lower, name_text, parent

RATE = Rate(10.0, slip=0, window_s=1.0, ipv4=32, ipv6=64)
"""Questions of one client (an IPv4 address or an IPv6 /64): each costs up to some milliseconds."""
LONGEST_STRING = 200
"""Octets: dig shows one string per line of an explanation, and up to 255 would fit (RFC 1035 3.3)."""
LARGEST = 48 * 1024
"""Octets of all strings: with the names before them they fit a message over TCP."""

_EXPLAIN, _STATE = b"_explain", b"_state"


@dataclass(frozen=True, slots=True)
class Explain:
    """How is `name` (wire format) of type `type` (a mnemonic, perhaps of no type) answered?"""

    name: bytes
    type: str = "A"


@dataclass(frozen=True, slots=True)
class State:
    """How do the regions of `service` stand? There may be no such service."""

    service: str


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A debug question of somebody who may ask it; `source` and `family` are as in `respond`."""

    subject: Explain | State
    source: int
    family: int
    subnet: ClientSubnet | None


class Debug:
    """Who may ask debug names, and how often. Not shared between threads, but for the limiter's buckets."""

    __slots__ = ("allowed", "limiter")

    def __init__(self, allowed: Networks, limiter: RateLimiter) -> None:
        """`limiter` has `RATE`, and counts what it limits."""
        self.allowed = allowed
        self.limiter = limiter

    def inquiry(self, directory: Directory, asked: Query, source: int, family: int) -> Inquiry | None:
        """The debug question that this client asks; None for any other question: answer it as ever."""
        question = asked.question
        if question is None or question.type != TYPE_TXT or question.klass != CLASS_IN:
            return None
        if (source, family) not in self.allowed:
            return None
        subject = subject_of(directory, lower(question.name))
        if subject is None:
            return None
        return Inquiry(subject, source, family, asked.opt.subnet if asked.opt else None)

    def too_many(self, source: int, family: int, now: float) -> bool:
        """Whether this client has to wait before it asks again."""
        return self.limiter.judge(source, family, 0, now) != ANSWER


def subject_of(directory: Directory, name: bytes) -> Explain | State | None:
    """What the debug name `name` (lower-case wire format) is about; None for any other name."""
    if name[1:2] != b"_" or name in directory.index:
        return None
    first, rest = name[1 : 1 + name[0]], parent(name)
    if first == _STATE:
        return _state(directory, rest)
    word, dash, kind = first.partition(b"-")
    if word != _EXPLAIN or bool(dash) != bool(kind) or not _is_ours(directory, rest):
        return None
    return Explain(rest, kind.decode("ascii", "replace").upper() or "A")


def _is_ours(directory: Directory, name: bytes) -> bool:
    return name in directory.index or closest_encloser(directory.index, name) != NOT_OURS


def _state(directory: Directory, rest: bytes) -> State | None:
    """The service is all of `rest`, or what stands before the name of one of our zones."""
    known = {service.name.lower(): service.name for service in directory.layout.services}
    parts = labels(rest)
    found: list[str] = []
    ending = rest
    for count in range(1, len(parts) + 1):
        ending = parent(ending)
        if len(ending) == 1 or _is_apex(directory, ending):
            found.append(b".".join(parts[:count]).decode("ascii", "replace"))
    for service in found:
        if service in known:
            return State(known[service])
    # a word alone, or something in a zone of ours, gets the sentence that there is no such service
    return State(found[0]) if len(parts) == 1 or (parts and _is_ours(directory, rest)) else None


def _is_apex(directory: Directory, name: bytes) -> bool:
    node = directory.index.get(name, NOT_OURS)
    return node != NOT_OURS and directory.zones[directory.zone[node]].name == name_text(name)


def told(lines: list[str]) -> Answer:
    """An answer with a TXT record for each line, in order; a long line is several strings of one record.

    Letters lose their accents, which dig would show as octets. What is more than `LARGEST` is left out,
    and that is said.
    """
    body, count, room = b"", 0, LARGEST
    for number, line in enumerate(dict.fromkeys(lines)):
        strings = _strings(line)
        room -= sum(map(len, strings))
        if room < 0:
            strings = _strings(f"and {len(lines) - number} lines more, which do not fit into a message")
        rdata = b"".join(len(string).to_bytes(1) + string for string in strings)
        body += b"\xc0\x0c" + pack("!HHIH", TYPE_TXT, CLASS_IN, 0, len(rdata)) + rdata
        count += 1
        if room < 0:
            break
    return make_answer(answers=count, body=body)


def refused(why: str) -> Answer:
    """SERVFAIL with the reason as an extended error."""
    return make_answer(rcode=RCODE_SERVFAIL, authoritative=False, option=make_error(EDE_OTHER, why))


TOO_MANY = refused("too many debug questions: ask again in a second")


def _strings(line: str) -> list[bytes]:
    """Pieces of at most `LONGEST_STRING` octets, cut at spaces where there are some."""
    plain = unicodedata.normalize("NFKD", line)
    rest = "".join(char for char in plain if not unicodedata.combining(char)).encode()
    strings: list[bytes] = []
    while len(rest) > LONGEST_STRING:
        cut = rest.rfind(b" ", 1, LONGEST_STRING) + 1 or LONGEST_STRING
        strings.append(rest[:cut])
        rest = rest[cut:]
    return [*strings, rest]
