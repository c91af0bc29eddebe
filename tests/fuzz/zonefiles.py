"""Zone files: one, and those that it includes (`1.zone`, `2.zone` and so on), behind lines of `%%%`.

What must hold: findings with places, or a zone; in bounded time; the quick way through common lines and the
way through all lines find the same; the zone can be served; dnspython finds no other records.
"""

import re
from collections.abc import Iterator
from unittest.mock import patch

from georouter.answers.tables import Snapshot
from georouter.compiler.plan import plan
from georouter.compiler.publish import publish
from georouter.facts.world import World
from georouter.policy.files import PolicyFile
from georouter.policy.load import Loaded
from georouter.policy.model import Policy
from georouter.policy.zonefile import quick
from georouter.words.errors import PolicyError
from tests.compiler.build import tiny_map
from tests.fuzz.parts import FOLDER, SEPARATOR, split, try_load
from tests.fuzz.target import About
from tests.wire.test_rdata import EVERY_TYPE

ABOUT = About(
    longest=3000,
    is_text=True,
    words=(
        b"$ORIGIN ",
        b"$TTL ",
        b"$INCLUDE 1.zone ",
        b"$INCLUDE 2.zone sub\n",
        b"$GENERATE 1-9/2 ",
        b"${0,3,x}",
        b"${-1,8,n}",
        b"( ",
        b" )",
        b";",
        b'"',
        b"\\",
        b"@ ",
        b"*.",
        b" IN ",
        b" CH ",
        b" A 192.0.2.1\n",
        b" NS ns\n",
        b" CNAME www\n",
        b" DNAME d\n",
        b" SOA ns root 1 2 3 4 5\n",
        b" 1h30m ",
        b" TYPE65280 \\# 3 010203\n",
        b"\r\n",
        b"\t",
        b"\xff",
        b"\xef\xbb\xbf",
        b"$",
        b"$$",
        b"%%%\n",
        b"DS 1 8 2 " + b"ab" * 32,
        b"RRSIG ",
        b"\x00",
        b"\xe2\x80\xa8",
        b"\x0c",
        b"\x85",
    ),
    mutations=500,
)
POLICY = (
    "version: 1\nzones:\n  example.com: {file: zones/0.zone}\n  sub.example.com: {ns: [ns.example.net]}\n"
)
HEAD = "@ 3600 SOA ns.example.net. root 7 3600 900 1209600 60\n@ 3600 NS ns.example.net.\n"

_NEVER = re.compile(r"(?!)")


def run(data: bytes) -> None:
    """Load twice, once without the quick way."""
    files = [PolicyFile(f"{FOLDER}/p.yaml", POLICY)]
    for number, text in enumerate(split(data)[:9]):
        files.append(PolicyFile(f"{FOLDER}/zones/{number}.zone", text, zone=True))
    quickly = try_load(files)
    with patch.object(quick, "LINE", _NEVER):
        slowly = try_load(files)
    assert quickly == slowly, f"{quickly}\n{slowly}"
    if isinstance(quickly, Loaded):
        compiled(quickly.policy)


def compiled(policy: Policy) -> Snapshot | None:
    """The tables, or None for what cannot be compiled and says so."""
    world = World()
    try:
        return publish(plan(policy, tiny_map(), world), world, 1).snapshot
    except PolicyError as error:
        assert error.diagnostics
        return None


def seeds() -> Iterator[bytes]:
    """Zones with every type, directive and mistake that the tests know."""
    from tests.policy.zonefile import test_read

    for function in vars(test_read).values():
        for mark in getattr(function, "pytestmark", ()):
            if mark.name == "parametrize":
                for row in mark.args[1]:
                    texts = (
                        [item for item in row if isinstance(item, str)] if isinstance(row, tuple) else [row]
                    )
                    yield from ((HEAD + text).encode("utf-8", "surrogateescape") for text in texts[:1])
    every = "".join(
        f"t{number} {kind.replace('_', '-')} {text}\n"
        for number, (kind, text) in enumerate(EVERY_TYPE.items())
    )
    yield HEAD.encode() + every.encode()[:2500]
    yield every.encode()[2000:4500]
    including = HEAD.encode() + b"$INCLUDE 1.zone\n$INCLUDE 2.zone sub\nlast A 192.0.2.1\n"
    yield SEPARATOR.join(
        (
            including,
            b"a A 192.0.2.2\n$ORIGIN x\nb A 192.0.2.3\n",
            b"$INCLUDE 1.zone\n A 192.0.2.4\n$INCLUDE 0.zone",
        )
    )
    yield (
        HEAD.encode()
        + b"$GENERATE 1-20/3 h${0,3,d} A 192.0.2.$\n$GENERATE 0-3 ${0,7,n}.x CNAME h$.example.net.\n"
    )
