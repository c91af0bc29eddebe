"""Zone files to records: RFC 1035 section 5 and what everybody added to it."""
# ruff: noqa: E501 - zone files and messages stand here whole

import random
from contextlib import suppress

import dns.rdataset
import dns.zone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georouter.policy.files import PolicyFile
from georouter.policy.load import load
from georouter.policy.model import Soa
from georouter.policy.zonefile import quick, read
from georouter.words.errors import PolicyError
from tests.policy.zonefile.zones import FILE, HEAD, POLICY, files, findings, lines, loaded, zone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # the common lines
        ("a A 192.0.2.1\n", ["a 3600 A 192.0.2.1"]),
        ("A 60 IN A 192.0.2.1\n", ["a 60 A 192.0.2.1"]),
        ("a IN 60 a 192.0.2.1 ; comment\r\n", ["a 60 A 192.0.2.1"]),
        ("a\tAAAA\t2001:DB8::1\n", ["a 3600 AAAA 2001:db8::1"]),
        ("a.b.example.com. CNAME Other\n", ["a.b 3600 CNAME Other"]),
        ("a CNAME @\n", ["a 3600 CNAME @"]),
        ("*.w MX 10 mail.example.net.\n", ["*.w 3600 MX 10 mail.example.net."]),
        ("_a._tcp SRV 0 5 443 host.example.net.\n", ["_a._tcp 3600 SRV 0 5 443 host.example.net."]),
        ('a TXT "v=spf1 -all" "b;c"\n', ['a 3600 TXT "v=spf1 -all" "b;c"']),
        ("d DNAME example.net.\n", ["d 3600 DNAME example.net."]),
        ("1.0 PTR host\n", ["1.0 3600 PTR host"]),
        ("s NS ns.example.net.\ns DS 1 8 2 " + "ab" * 32, None),
        # a blank takes the owner over, and blank lines and comments take nothing away
        ("a A 192.0.2.1\n\n ; nothing\n\tAAAA ::1\n", ["a 3600 A 192.0.2.1", "a 3600 AAAA ::1"]),
        (" TXT x\n", ["@ 3600 TXT \"x\""]),
        # parentheses, comments, quotes and escapes
        ("a ( A ; one\n 192.0.2.1 ) ; two\nb A 192.0.2.2\n", ["a 3600 A 192.0.2.1", "b 3600 A 192.0.2.2"]),
        ('a TXT ( "(;" \n x\\;y "\\"" )\n', ['a 3600 TXT "(;" "x;y" "\\""']),
        (r"a\.b TXT \065b" + "\n", [r'a\.b 3600 TXT "Ab"']),
        (r"\097 A 192.0.2.1" + "\n", ["a 3600 A 192.0.2.1"]),
        ("h HTTPS 1 . alpn=\"h2,h3\" port=8443\n", ['h 3600 HTTPS 1 . alpn="h2,h3" port="8443"']),
        ('c CAA 0 issue "ca.example; a=b"\n', ['c 3600 CAA 0 issue "ca.example; a=b"']),
        # types: unknown ones, known ones in generic form, the class as a number
        ("u TYPE65280 \\# 4 ( 0a00\n 0001 )\n", ["u 3600 TYPE65280 \\# 4 0a000001"]),
        ("u CLASS1 TYPE1 \\# 4 c0000201\n", ["u 3600 A 192.0.2.1"]),
        # TTLs
        ("a 1h30m A 192.0.2.1\n", ["a 5400 A 192.0.2.1"]),
        ("a 1W2d A 192.0.2.1\n", ["a 777600 A 192.0.2.1"]),
        ("$TTL 5m\na A 192.0.2.1\nb 7 A 192.0.2.1\nc A 192.0.2.1\n", ["a 300 A 192.0.2.1", "b 7 A 192.0.2.1", "c 300 A 192.0.2.1"]),
        ("b 7 A 192.0.2.1\nc A 192.0.2.1\n", ["b 7 A 192.0.2.1", "c 7 A 192.0.2.1"]),
        # origins
        ("$ORIGIN sub\na A 192.0.2.1\n@ TXT x\n", ["a.sub 3600 A 192.0.2.1", 'sub 3600 TXT "x"']),
        ("$origin x.example.com.\na CNAME b\n$ORIGIN y\nc CNAME d\n", ["a.x 3600 CNAME b.x", "c.y.x 3600 CNAME d.y.x"]),
        ("$ORIGIN com.\nexample TXT x\na.example A 192.0.2.1\n", ['@ 3600 TXT "x"', "a 3600 A 192.0.2.1"]),
        # a set that is written here and there
        ("a A 192.0.2.2\nb TXT x\na TXT y\na A 192.0.2.1\n", ["a 3600 A 192.0.2.2", "a 3600 A 192.0.2.1", 'a 3600 TXT "y"', 'b 3600 TXT "x"']),
        # the last line needs no end
        ("a A 192.0.2.1", ["a 3600 A 192.0.2.1"]),
        ("a TXT (x\n)", ['a 3600 TXT "x"']),
    ],
)  # fmt: skip
def test_records(text: str, expected: list[str] | None) -> None:
    """What is written is what is served."""
    if expected is None:
        expected = ["s 3600 NS ns.example.net.", "s 3600 DS 1 8 2 " + "ab" * 32]
    assert lines(HEAD + text) == expected


def test_start_of_authority() -> None:
    """SOA with its serial, and NS, are the file's."""
    found = zone(
        "$TTL 300\n@ IN SOA Ns1 dns\\.admin ( 2024010101 1h 15m\n 2w 60 )\n NS ns1\nns1 A 192.0.2.53\n"
    )
    assert found.soa == Soa(
        "Ns1.example.com", r"dns\.admin.example.com", 2024010101, 3600, 900, 1209600, 60, ttl_s=300
    )
    assert [(item.type, item.ttl_s) for item in found.records] == [(2, 300), (1, 300)]


def test_a_file_without_soa_and_ns() -> None:
    """Then the policy says them."""
    policy = POLICY.replace("{file:", "{ns: [ns.example.net], ttl: 2m, soa: {serial: 9}, file:")
    found = zone("a A 192.0.2.1\n", policy)
    assert (found.soa.mname, found.soa.serial, found.soa.ttl_s) == ("ns.example.net", 9, 120)
    assert [(item.type, item.ttl_s) for item in found.records] == [(1, 120), (2, 120)]
    assert findings("a A 192.0.2.1\n") == [
        'p.yaml:7:3: zones["example.com"]: "ns" is missing, and the zone file has no NS records for the zone itself'
    ]
    assert zone("@ 300 NS a.example.net.\n").soa.mname == "a.example.net"


def test_a_soa_without_ttl() -> None:
    """Its own minimum stands in, for it and what follows, as in BIND."""
    found = zone("@ SOA ns root 7 3600 900 1209600 60\n@ NS ns.example.net.\nns A 192.0.2.1\n")
    assert found.soa.ttl_s == 60
    assert {item.ttl_s for item in found.records} == {60}


def test_steered_names_stand_beside() -> None:
    """The zone has the file's records and the policy's names."""
    found = loaded(HEAD + "mail A 192.0.2.60\n").zones
    (made,) = found.values()
    assert [item.service for item in made.steered] == ["web"]


def test_include() -> None:
    """Relative to the including file; origin and owner come back, `$TTL` stays (RFC 1035 5.1)."""
    text = HEAD + 'a A 192.0.2.1\n$INCLUDE more.zone sub\n AAAA ::1\nb TXT x\n$include "more.zone"\n'
    assert lines(text, more="$TTL 9\n@ HINFO a b\nhost MX 5 mail.example.net.\n") == [
        '@ 9 HINFO "a" "b"',
        "a 3600 A 192.0.2.1",
        "a 9 AAAA ::1",
        'sub 9 HINFO "a" "b"',
        "host.sub 9 MX 5 mail.example.net.",
        'b 9 TXT "x"',
        "host 9 MX 5 mail.example.net.",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a A 192.0.2.300\n", "'192.0.2.300' is not A data: "),
        ("a A\n", "'' is not A data: "),
        ("a A 192.0.2.1 192.0.2.2\n", "'192.0.2.1 192.0.2.2' is not A data: expected EOL"),
        ("a AAAA 192.0.2.1\n", "'192.0.2.1' is not AAAA data: "),
        ("a MX 65536 mail\n", "'65536 mail' is not MX data: "),
        (f"{'a' * 64} A 192.0.2.1\n", f"'{'a' * 64}' has a label of 64 octets; 63 is the limit"),
        (f"{'.'.join(['a' * 60] * 4)} A 192.0.2.1\n", f"'{'.'.join(['a' * 60] * 4)}' is 257 octets long; 255 is the limit"),
        ("a..b A 192.0.2.1\n", "'a..b' has an empty label"),
        ("b\u00fccher A 192.0.2.1\n", "'b\u00fccher' is not ASCII; write internationalized names in their xn-- form"),
        ("a CNAME b\u00fccher\n", "'b\u00fccher' is not ASCII; write internationalized names in their xn-- form"),
        ("a.example.org. A 192.0.2.1\n", "a.example.org is not in the zone example.com"),
        ("$ORIGIN example.org.\na A 192.0.2.1\n", "2: a.example.org is not in the zone example.com"),
        ("a CH A 192.0.2.1\n", "class CH: zones hold class IN"),
        ("a 60 IN 60 A 192.0.2.1\n", "'60' is not a record type"),
        ("a 2147483648 A 192.0.2.1\n", "a TTL is at most 2147483647 seconds (RFC 2181), not 2147483648"),
        (f"$TTL {'9' * 60}x\n", f"'{'9' * 60}x' is not a TTL such as 3600 or 1h30m"),
        (f"a {'9h' * 30}{'9' * 60} A 192.0.2.1\n", f"'{'9h' * 30}{'9' * 60}' is not a record type"),
        ("a CNAME b\udcff\n", r"'b\udcff' is not ASCII; write internationalized names in their xn-- form"),
        ("a 60\n", "expected a record: [owner] [TTL] [IN] type data"),
        ("a WRONG 1\n", "'WRONG' is not a record type"),
        ("a ANY 1\n", "ANY is not a type of stored records"),
        ("a TXT (x\n", "this record has no end; a parenthesis is not closed"),
        ("a TXT x)\n", "this parenthesis was never opened"),
        ('a TXT "x\n', "this quotation mark has no partner on its line"),
        ("a TXT x\\\n", "a backslash ends the line"),
        ("$NONSENSE x\n", "unknown directive $NONSENSE; known: $GENERATE, $INCLUDE, $ORIGIN, $TTL"),
        ("$TTL soon\n", "'soon' is not a TTL such as 3600 or 1h30m"),
        ("$ORIGIN\n", "expected a name, found ''"),
        ("$ORIGIN a b\n", "expected a name, found 'a b'"),
        ("$INCLUDE\n", "$INCLUDE needs the name of a file"),
        ("$INCLUDE other.zone\n", "other.zone cannot be read: it was not there"),
        ("$INCLUDE example.com.zone\n", "example.com.zone includes itself"),
        ("$INCLUDE /etc/passwd\n", "$INCLUDE reads files below /etc/g only, not /etc/passwd"),
        ("$INCLUDE ../../../../etc/shadow\n", "$INCLUDE reads files below /etc/g only, not /etc/shadow"),
        ("$GENERATE 1-2\n", "$GENERATE needs a range, an owner, a type and data"),
        ("$GENERATE 2-1 a$ A 192.0.2.$\n", "'2-1' is not a range: start, stop and step rise up to 2147483647"),
        ("$GENERATE 1-2 a$ A 192.0.2.${x}\n", "'${x}' is not a modifier such as ${0,3,d}: offset, width, base (d o x X n N)"),
        ("$GENERATE 1-2000000 a$ A 192.0.2.1\n", "$GENERATE makes more than 1,000,000 records in this zone"),
        ("@ SOA ns root 1 2 3 4 5\n", "a zone has one SOA record; the first is at example.com.zone:1"),
        ("sub SOA ns root 1 2 3 4 5\n", "the SOA record of sub.example.com does not belong into this zone"),
        ("a RRSIG nonsense\nb RRSIG nonsense\n", "RRSIG records are made by a signer, and DNSSEC is not available in this version (2 of them in this zone)"),
        ("a A 192.0.2.1\na 60 A 192.0.2.2\n", "2: records of one name and type share one TTL (RFC 2181): 1h and 1m"),
        ("a A 192.0.2.1\nA 60 A 192.0.2.1\n", "2: records of one name and type share one TTL (RFC 2181): 1h and 1m"),
        ("*.w NS ns.example.net.\n", "nobody can say what a wildcard NS means (RFC 4592 4.2); name the delegated names"),
        ("a A 192.0.2.1\nA A 192.0.2.1\n", "2: warning: the same record stands at example.com.zone:3"),
        ("@ NS NS.example.net.\n", "warning: the same record stands at example.com.zone:2"),
        ("a A 192.0.2.1\na CNAME b\n", "2: a CNAME cannot stand beside other records (A at example.com.zone:3)"),
        ("a CNAME b\na CNAME c\n", "2: a name has at most one CNAME"),
        ("@ MX 5 alias\nalias CNAME www\n", '"alias.example.com" is an alias; a mail host must have addresses (RFC 2181)'),
        ("sub NS ns.sub\n", '"ns.sub.example.com" lies in the delegated zone; add its A or AAAA record as glue'),
        ("d DNAME x\na.d A 192.0.2.1\n", '2: lies below the DNAME of "d.example.com", which redirects it (RFC 6672 2.4)'),
        ("www A 192.0.2.1\n", "A records cannot stand beside a service at p.yaml:7:72, which gives the addresses"),
        ("www CNAME x\n", "a CNAME cannot stand beside a service at p.yaml:7:72"),
        ("a*b A 192.0.2.1\n", "warning: a wildcard is a first label that is just \"*\"; this one is literal"),
        ("*a A 192.0.2.1\n", "warning: a wildcard is a first label that is just \"*\"; this one is literal"),
        ("*.*.b A 192.0.2.1\n", 'warning: only the first "*" is a wildcard: this covers names below "*.b.example.com", taken literally'),
    ],
)  # fmt: skip
def test_findings(text: str, found: str) -> None:
    """Every problem has its line, in one of the lines behind the head."""
    line, _, message = found.partition(": ") if found[:1].isdigit() else ("1", "", found)
    (finding,) = findings(HEAD + text)
    assert finding.startswith(f"example.com.zone:{2 + int(line)}: {message}")  # the rest is dnspython's


def test_an_owner_outside_the_zone_is_outside_on_the_next_line_too() -> None:
    """The blank at its beginning takes over what was refused."""
    refused = "b.example.org is not in the zone example.com"
    assert findings(HEAD + "b.example.org. A 192.0.2.1\n A 192.0.2.2\n") == [
        f"example.com.zone:3: {refused}",
        f"example.com.zone:4: {refused}",
    ]


def test_everything_at_once() -> None:
    """Reading goes on behind an error, in included files too."""
    text = HEAD + "a A x\n$INCLUDE more.zone\nb TXT (\n\n x ) (\n)\nc A y\nd A 192.0.2.1\n"
    found = findings(text, more="\n\ne AAAA z\n$INCLUDE example.com.zone\n")
    assert [line.partition("data")[0] for line in found] == [
        "example.com.zone:3: 'x' is not A ",
        "example.com.zone:9: 'y' is not A ",
        "more.zone:3: 'z' is not AAAA ",
        "more.zone:4: example.com.zone includes itself",
    ]


def test_policy_and_file_disagree() -> None:
    """Both places are named."""
    policy = POLICY.replace("{file:", "{ns: [ns2.example.net], soa: {refresh: 1h}, file:").replace(
        "{www:", '{a: {A: 192.0.2.9}, b: {CNAME: www}, c: {TXT: x}, "@": {MX: 5 mail.example.net.}, www:'
    )
    text = HEAD + "a A 192.0.2.1\nb TXT x\nc CNAME www\n@ MX 10 mail.example.net.\n"
    assert findings(text, policy) == [
        'p.yaml:7:17: zones["example.com"].ns: the zone file has other name servers (example.com.zone:2); remove "ns"',
        'p.yaml:7:40: zones["example.com"].soa: the SOA record is in the zone file (example.com.zone:1); remove "soa"',
        'p.yaml:7:107: zones["example.com"].records.a.A: A records of a.example.com stand in a zone file too, at example.com.zone:3; write a record set in one place',
        'p.yaml:7:123: zones["example.com"].records.b.CNAME: a CNAME cannot stand beside other records (TXT at example.com.zone:4)',
        'p.yaml:7:159: zones["example.com"].records["@"].MX: MX records of example.com stand in a zone file too, at example.com.zone:6; write a record set in one place',
        "example.com.zone:5: a CNAME cannot stand beside other records (TXT at p.yaml:7:145)",
    ]  # fmt: skip
    same = POLICY.replace("{file:", "{ns: [NS.example.net], file:")
    assert findings(HEAD, same) == []


def test_findings_are_bounded() -> None:
    """A wrong origin is wrong for every line; 200 of them are told."""
    text = HEAD + "$ORIGIN example.org.\n" + "".join(f"h{number} A 192.0.2.1\n" for number in range(1000))
    found = findings(text)
    assert len(found) == 201
    assert found[0] == "example.com.zone: 800 more like these"
    assert found[1] == "example.com.zone:4: h0.example.org is not in the zone example.com"


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Depth, number of files, and the size of a zone."""
    chain = {f"f{number}": f"$INCLUDE f{number + 1}.zone\n" for number in range(9)}
    assert findings(HEAD + "$INCLUDE f0.zone\n", **chain, f9="") == [
        "f6.zone:1: more than 8 files deep or 1000 files in all are not included"
    ]
    monkeypatch.setattr(read, "MOST_FILES", 2)
    assert len(findings(HEAD + "$INCLUDE f.zone\n" * 3, f="")) == 1
    monkeypatch.setattr(read, "LARGEST_ZONE", 3)
    text = HEAD + "".join(f"h{number} CAA 0 issue x\n" for number in range(9))
    assert findings(text) == ["example.com.zone:6: the zone has more than 3 records"]


def test_octets_that_are_no_utf8() -> None:
    """Comments may hold anything; text keeps its octets."""
    raw = b'; caf\xe9\na TXT "caf\xe9"\nb TXT ( "\xc3\xa9\xff" )\n'.decode("utf-8", "surrogateescape")
    records = [rdata for item in zone(HEAD + raw).records for rdata in item.rdatas][1:]
    assert records == [b"\4caf\xe9", b"\3\xc3\xa9\xff"]


def test_a_byte_order_mark_is_no_owner() -> None:
    """Editors on Windows write one."""
    assert lines("\ufeff" + HEAD + "a A 192.0.2.1\r\n") == ["a 3600 A 192.0.2.1"]


def test_the_quick_way_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line that the pattern takes, read by dnspython: the same records, in the same order."""
    chance = random.Random(4)
    kinds = [
        "A 192.0.2.{}",
        "AAAA 2001:db8::{:x}",
        "CNAME h{}",
        "MX {} Mail",
        'TXT "t {}" "x"',
        "SRV {} 0 443 h",
        "PTR H{}.",
        "DS {} 8 2 " + "0A" * 32,
    ]
    text = HEAD + "mail A 192.0.2.1\nh A 192.0.2.1\n"
    for number in range(400):
        kind = chance.choice(kinds).format(number % 250 + 1)
        ttl = chance.choice(["", "60 ", "IN ", "60 IN ", "in 60 "])
        text += f"{chance.choice(['n', 'a.n', '_x.N', '*.n'])}{number} {ttl}{kind}{chance.choice(['', ' ; c', '  '])}\n"
    quickly = lines("$TTL 300\n" + text)
    assert len(quickly) == 402
    monkeypatch.setattr(quick, "data", lambda *_: None)
    assert lines("$TTL 300\n" + text) == quickly
    reference = dns.zone.from_text("$TTL 300\n" + text, origin="example.com.", relativize=True)
    names, count = reference.nodes.keys(), 0
    for line in quickly:
        owner, ttl, kind, data = line.split(" ", 3)
        rdataset = reference.find_rdataset(owner.lower(), kind)
        assert isinstance(rdataset, dns.rdataset.Rdataset)
        assert str(rdataset.ttl) == ttl
        assert data in [item.to_text(reference.origin) for item in rdataset]
        count += len(rdataset)
    assert len(names) == 403
    assert count == 402


FRAGMENTS = st.sampled_from(
    ["a", "@", "*", "$ORIGIN", "$TTL", "$INCLUDE", "$GENERATE", "1-3", "60", "IN", "A", "TXT", "MX", "SOA", "192.0.2.1", "(", ")", '"', "\\", ";", "\n", "\n", " ", " ", "\t", ".", "example.com.", "${0,2,x}", "\\#", "4", "0a000001", "\udce9", "é", "more.zone", "TYPE65280"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_any_text(text: str) -> None:
    """A zone, or findings about it; nothing else."""
    given_files = [*files(HEAD + text, more="x A 192.0.2.1\n$INCLUDE example.com.zone\n")]
    with suppress(PolicyError):
        load(given_files)


def test_two_zones_of_one_file() -> None:
    """A template: relative to each zone."""
    policy = POLICY + "  example.org: {file: zones/example.com.zone}\n"
    made = load([PolicyFile("/etc/g/p.yaml", policy), PolicyFile(FILE, HEAD + "a A 192.0.2.1\n", zone=True)])
    assert [len(item.records) for item in made.policy.zones.values()] == [2, 2]


def test_without_zone_files() -> None:
    """Who asks for the admin address needs no records, nor that they make sense."""
    policy = POLICY.replace("{file:", "{ns: [ns1.example.com], file:")
    made = load([PolicyFile("/etc/g/p.yaml", policy)], zone_files=False)
    assert [zone.name for zone in made.policy.zones.values()] == ["example.com"]


def test_why_a_file_has_no_text() -> None:
    """The reason stands where the file is named."""
    missing = PolicyFile(FILE, "", zone=True, problem="Permission denied")
    with pytest.raises(PolicyError) as caught:
        load([PolicyFile("/etc/g/p.yaml", POLICY), missing])
    assert [str(item) for item in caught.value.diagnostics] == [
        f'/etc/g/p.yaml:7:23: zones["example.com"].file: {FILE} cannot be read: Permission denied'
    ]


def test_a_file_that_ends_in_a_line() -> None:
    """Half a copy, perhaps."""
    found = findings(HEAD + "a A 192.0.2.1\nb A 192.0.2")
    assert found[0].startswith("example.com.zone:4: '192.0.2' is not A data")
    last = "warning: the last line has no end: is this the whole file?"
    assert found[1:] == [f"example.com.zone:4: {last}"]
    assert findings(HEAD + "a A 192.0.2.1") == [f"example.com.zone:3: {last}"]
