"""What is said at and below a delegation: whom to ask, and where they are (RFC 1034 4.2.1, 4.3.2 step 3b)."""

from dataclasses import dataclass

from georouter.answers.make import make_answer
from georouter.compiler.chase import Chain
from georouter.compiler.records import Pool, record_set
from georouter.compiler.tree import Tree
from georouter.policy.model import RecordSet
from georouter.wire.codes import TYPE_A, TYPE_AAAA, TYPE_NS
from georouter.wire.names import is_below, lower


@dataclass(frozen=True, slots=True)
class Referral:
    """The NS set of the cut `name`, with glue.

    `inside` are addresses of name servers inside the delegated zone: nobody finds them without us, so
    they are given or the answer is truncated (RFC 9471 3.1). `beside` are those of other names of the
    same zone, which may be left out (RFC 9471 3.2). Each is (owner as written in the NS set, records).
    """

    name: bytes
    servers: RecordSet
    inside: tuple[tuple[bytes, RecordSet], ...]
    beside: tuple[tuple[bytes, RecordSet], ...]

    def add(self, pool: Pool, chain: Chain | None = None) -> int:
        """The finished answer, behind CNAMEs where these led to the cut. It is authoritative for those:
        AA is about the first owner name (RFC 1035 4.1.1).
        """
        required = (
            (chain.records if chain else b"") + record_set(self.name, self.servers) + _body(self.inside)
        )
        answers, authorities = chain.count if chain else 0, len(self.servers.rdatas)
        least = make_answer(
            authoritative=chain is not None,
            answers=answers,
            authority=authorities,
            additional=_count(self.inside),
            body=required,
        )
        return pool.add(
            required + _body(self.beside),
            authoritative=chain is not None,
            answers=answers,
            authorities=authorities,
            additional=_count(self.inside) + _count(self.beside),
            least=least if self.beside else None,
        )


def referral(tree: Tree, name: bytes, node: int) -> Referral:
    """Of the delegation `name` at `node`."""
    servers = tree.sets(node)[TYPE_NS]
    inside: list[tuple[bytes, RecordSet]] = []
    beside: list[tuple[bytes, RecordSet]] = []
    for host in servers.rdatas:
        folded = lower(host)
        sets = tree.near(folded, tree.zone[node])  # a steered address depends on who asks: it is not here
        held = [sets[number] for number in (TYPE_A, TYPE_AAAA) if number in sets]
        (inside if is_below(folded, name) else beside).extend((host, records) for records in held)
    return Referral(name, servers, tuple(inside), tuple(beside))


def _body(glue: tuple[tuple[bytes, RecordSet], ...]) -> bytes:
    return b"".join(record_set(owner, records) for owner, records in glue)


def _count(glue: tuple[tuple[bytes, RecordSet], ...]) -> int:
    return sum(len(records.rdatas) for _, records in glue)
