"""Where a peer may answer otherwise than we do, and why.

A difference takes one disagreement and gives the peer's reply as it would be without it, or None where
it is about something else. What it is told apart by is asked of the peer again, so that a rule lets
nothing pass but what it is about.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from georouter.policy.names import Names
from georouter.wire.names import parse_name
from tests.live.differential.questions import Question
from tests.live.differential.replies import Record, Reply, Section, exchange, read

Address = tuple[str, int]
KNOT_LINKS = 5
"""CNAMEs in one answer at which Knot stops."""
ADDRESSES = frozenset({"A", "AAAA"})


@cache
def ask(server: Address, name: str, kind: str) -> Reply:
    """Everything that a server has to say, over TCP."""
    ((reply,),) = exchange([server], [Question(name, kind, 4096, dnssec=False, tcp=True).wire()], tcp=True)
    return read(reply)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One question, and two replies that are not the same."""

    question: Question
    us: Address
    peer: Address
    peer_name: str
    ours: Reply
    theirs: Reply
    names: Names
    apexes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name in question, lower case."""
        return self.question.name.lower()

    def is_steered(self, name: str) -> bool:
        """Whether a service answers for `name`, not counting CNAMEs that lead to one."""
        owner = self.names.owner_of(parse_name(name))
        return owner in self.names.steered

    def zone_of(self, name: str) -> str:
        """The deepest of our zones that answers for `name`, or nothing. DS belongs to the zone above."""
        if self.question.type == "DS" and name in self.apexes:
            name = name.partition(".")[2]
        ours = (apex for apex in self.apexes if apex == "." or f".{name}".endswith(f".{apex}"))
        return max(ours, key=len, default="")


@dataclass(frozen=True, slots=True)
class Difference:
    """A kind of difference that is right. `peers` are those that show it."""

    name: str
    peers: tuple[str, ...]
    why: str
    settle: Callable[[Disagreement], Reply | None]


def is_referral(reply: Reply) -> bool:
    """Whether it sends the client on."""
    return any(record.type == "NS" for record in reply.authority)


def end_of_chain(name: str, answer: Section) -> tuple[str, int]:
    """Where the CNAMEs in an answer lead, and how many they are."""
    links = {record.owner: record.data for record in answer if record.type == "CNAME"}
    count = 0
    while name in links and count <= len(links):
        name, count = links[name], count + 1
    return name, count


def truncated(case: Disagreement) -> Reply | None:
    """TC on both sides; the peer's code may be that of the part that it had made when space ran out."""
    if "TC" not in case.ours.flags & case.theirs.flags:
        return None
    assert not case.ours.answer | case.ours.authority | case.ours.additional
    rcode = case.ours.rcode
    if case.question.type != "ANY" and ask(case.peer, case.question.name, case.question.type).rcode != rcode:
        return None
    return replace(
        case.theirs, rcode=rcode, answer=case.ours.answer, authority=frozenset(), additional=frozenset()
    )


def dropped_in_silence(case: Disagreement) -> Reply | None:
    """We truncate; the peer leaves out addresses of servers inside a delegated zone, or a denial's SOA."""
    if "TC" not in case.ours.flags or "TC" in case.theirs.flags:
        return None
    whole = ask(case.peer, case.question.name, case.question.type)
    if case.theirs.authority | case.theirs.additional >= whole.authority | required_glue(whole):
        return None
    return replace(
        case.theirs,
        flags=case.theirs.flags | {"TC"},
        answer=frozenset(),
        authority=frozenset(),
        additional=frozenset(),
    )


def glue_beside(case: Disagreement) -> Reply | None:
    """Short of space, we leave out all glue that is not required; the peer leaves out any, and NSD of ample
    space too.
    """
    if not is_referral(case.ours) or not is_referral(case.theirs):
        return None
    whole = ask(case.us, case.question.name, case.question.type)
    if case.theirs.additional == whole.additional or not case.theirs.additional <= whole.additional:
        return None
    assert case.ours.additional in (whole.additional, required_glue(whole))
    return replace(case.theirs, additional=case.ours.additional)


def required_glue(reply: Reply) -> Section:
    """Addresses of servers inside the delegated zone (RFC 9471 3.1)."""
    cuts = tuple(f".{record.owner}" for record in reply.authority if record.type == "NS")
    return frozenset(record for record in reply.additional if f".{record.owner}".endswith(cuts))


def steered_glue(case: Disagreement) -> Reply | None:
    """The peer gives addresses of a name that is steered here."""
    if not is_referral(case.ours) and not has_targets(case.ours):
        return None
    kept = frozenset(record for record in case.theirs.additional if not case.is_steered(record.owner))
    return replace(case.theirs, additional=kept) if kept != case.theirs.additional else None


def additional_addresses(case: Disagreement) -> Reply | None:
    """Addresses of what an answer names."""
    extra = case.theirs.additional - case.ours.additional
    if is_referral(case.theirs) or not extra or not {record.type for record in extra} <= ADDRESSES:
        return None
    return replace(case.theirs, additional=case.ours.additional)


def has_targets(reply: Reply) -> bool:
    """Whether the answer holds HTTPS or SVCB records."""
    return not {record.type for record in reply.answer}.isdisjoint(("HTTPS", "SVCB"))


def https_targets(case: Disagreement) -> Reply | None:
    """What targets of HTTPS and SVCB records have, where the peer gives nothing of it."""
    if case.theirs.additional or not case.ours.additional:
        return None
    return replace(case.theirs, additional=case.ours.additional) if has_targets(case.ours) else None


def wildcard_targets(case: Disagreement) -> Reply | None:
    """The same records of a target that a wildcard covers, under the wildcard's own name."""

    def nameless(reply: Reply) -> set[tuple[str, str]]:
        return {(record.type, record.data) for record in reply.additional}

    stars = any(record.owner.startswith("*.") for record in case.theirs.additional)
    if not has_targets(case.ours) or not stars or nameless(case.ours) != nameless(case.theirs):
        return None
    return replace(case.theirs, additional=case.ours.additional)


def any_type(case: Disagreement) -> Reply | None:
    """Each gives one RRset of the name, or of what a DNAME makes of it; asked for ours, the peer has it."""
    if case.question.type != "ANY" or not (case.ours.answer and case.theirs.answer):
        return None
    end, count = end_of_chain(case.name, case.theirs.answer) if redirected(case.theirs) else (case.name, 0)
    own, other = (
        {record.type for record in reply.answer if record.owner == end} for reply in (case.ours, case.theirs)
    )
    if len(own) != 1 or len(other) != 1:
        return None
    way = frozenset(record for record in case.theirs.answer if count and record.type in ("CNAME", "DNAME"))
    found = ask(case.peer, end, own.pop()).answer
    return replace(case.theirs, answer=way | found, additional=case.ours.additional)


def redirected(reply: Reply) -> bool:
    """Whether a DNAME is followed."""
    return any(record.type == "DNAME" for record in reply.answer)


def too_long(case: Disagreement) -> Reply | None:
    """A DNAME makes a name of more than 255 octets; the peer denies that it exists."""
    if (case.ours.rcode, case.theirs.rcode) != ("YXDOMAIN", "NXDOMAIN"):
        return None
    return replace(case.theirs, rcode=case.ours.rcode, authority=case.ours.authority)


def chain_cut_short(case: Disagreement) -> Reply | None:
    """The peer stops where a chain leaves the zone or grows long; asked for the rest, it has what we gave."""
    end, count = end_of_chain(case.name, case.theirs.answer)
    if end == case.name or not case.zone_of(end) or goes_round(case):
        return None
    path = {record.owner for record in case.theirs.answer if record.type == "CNAME"} | {end}
    if len(set(map(case.zone_of, path))) == 1 and count < KNOT_LINKS:
        return None
    seen = {case.name}
    answer, rest = case.theirs.answer, case.theirs
    while end not in seen and case.zone_of(end):
        seen.add(end)
        rest = ask(case.peer, end, case.question.type)
        answer |= rest.answer
        if case.question.type == "ANY" and not redirected(rest):  # a CNAME answers it, but for a made one
            break
        end, _ = end_of_chain(case.name, answer)
    additional = rest.additional if is_referral(rest) else frozenset()
    return replace(
        case.theirs, rcode=rest.rcode, answer=answer, authority=rest.authority, additional=additional
    )


def signing_types_at_a_cname(case: Disagreement) -> Reply | None:
    """The peer does not follow a CNAME for types of signed zones; for another type not there it does."""
    if case.question.type not in ("RRSIG", "NSEC", "NSEC3"):
        return None
    end, _ = end_of_chain(case.name, case.theirs.answer)
    rest = ask(case.peer, end, "TYPE1234")
    if not any(record.type == "CNAME" and record.owner == end for record in rest.answer):
        return None
    settled = replace(
        case.theirs,
        rcode=rest.rcode,
        answer=case.theirs.answer | rest.answer,
        authority=rest.authority,
        additional=rest.additional,
    )
    other = replace(case.question, type="TYPE1234")
    return chain_cut_short(replace(case, question=other, theirs=settled)) or settled


def ds_below_a_cut(case: Disagreement) -> Reply | None:
    """DS at an apex of ours, looked for too far up: one zone above it is somebody else's, or ours as well."""
    end, _ = end_of_chain(case.name, case.theirs.answer)
    if case.question.type != "DS" or end not in case.apexes or not is_referral(case.theirs):
        return None
    cut = next(record.owner for record in case.theirs.authority)
    if cut == end or not end.endswith(f".{cut}"):
        return None
    nodata = ask(case.peer, cut if cut in case.apexes else case.question.name, "TYPE1234")
    flags = case.theirs.flags | {"AA"}
    return replace(case.theirs, flags=flags, authority=nodata.authority, additional=nodata.additional)


def loop(case: Disagreement) -> Reply | None:
    """CNAMEs that lead nowhere: the peer goes round once more, or once less."""
    if not goes_round(case) or not (case.ours.answer and case.theirs.answer):
        return None
    if not (case.ours.answer <= case.theirs.answer or case.theirs.answer <= case.ours.answer):
        return None
    room = {"TC"} if case.ours.answer <= case.theirs.answer else set()
    return replace(case.theirs, answer=case.ours.answer, flags=case.theirs.flags - room)


def goes_round(case: Disagreement) -> bool:
    """Whether a CNAME leads back, or a DNAME below itself."""
    both = case.ours.answer | case.theirs.answer
    _, count = end_of_chain(case.name, both)
    circle = count > len({record.owner for record in both if record.type == "CNAME"})
    return circle or any(
        record.type == "DNAME" and f".{record.data}".endswith(f".{record.owner}") for record in both
    )


def fits_here(case: Disagreement) -> Reply | None:
    """The peer needs more octets for the same."""
    if "TC" not in case.theirs.flags - case.ours.flags:
        return None
    whole = ask(case.peer, case.question.name, case.question.type)
    if whole.answer != case.ours.answer or whole.authority != case.ours.authority:
        return None
    additional = whole.additional
    if case.ours.additional == required_glue(whole):
        additional = case.ours.additional
    return replace(whole, additional=additional, edns=case.theirs.edns, question=case.theirs.question)


def steered_cname(case: Disagreement) -> Reply | None:
    """The CNAME alone, for what is no address."""
    own = {record for record in case.ours.answer if record.owner == case.name}
    if not any(record.type == "CNAME" for record in own) or not own <= case.theirs.answer:
        return None
    if not case.is_steered(case.name) or case.question.type in ADDRESSES:
        return None
    return replace(case.theirs, answer=case.ours.answer, authority=case.ours.authority, rcode=case.ours.rcode)


def other_class(case: Disagreement) -> Reply | None:
    """REFUSED without the question that it is about."""
    if case.question.klass in ("IN", "ANY") or (case.ours.rcode, case.theirs.rcode) != ("REFUSED", "REFUSED"):
        return None
    return replace(case.theirs, question=case.ours.question) if not case.theirs.question else None


def any_class(case: Disagreement) -> Reply | None:
    """Knot claims to be authoritative and adds addresses; NSD leaves out the SOA of a denial."""
    if case.question.klass != "ANY" or case.ours.rcode != case.theirs.rcode:
        return None
    authority, additional = case.theirs.authority, case.theirs.additional
    if not case.ours.answer and soa_of(case.ours.authority) and not authority:
        authority = case.ours.authority
    if case.ours.answer and {record.type for record in additional} <= ADDRESSES:
        additional = case.ours.additional
    flags = case.theirs.flags - {"AA"}
    return replace(case.theirs, flags=flags, authority=authority, additional=additional)


def transfer(case: Disagreement) -> Reply | None:
    """No transfer here, in words of one's own."""
    refusals = {"REFUSED", "NOTAUTH", "NOTIMP"}
    if case.question.type not in ("AXFR", "IXFR") or not {case.ours.rcode, case.theirs.rcode} <= refusals:
        return None
    return replace(case.theirs, rcode=case.ours.rcode)


def type_zero(case: Disagreement) -> Reply | None:
    """NOTIMP, where other types that no name has are denied."""
    if case.question.type != "TYPE0" or case.theirs.rcode != "NOTIMP":
        return None
    denied = ask(case.peer, case.question.name, "TYPE1234")
    return replace(denied, edns=case.theirs.edns, question=case.theirs.question)


def soa_of(section: Section) -> Record | None:
    """The SOA record of an authority section."""
    return next((record for record in section if record.type == "SOA"), None)
