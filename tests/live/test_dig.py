"""Asked with dig: what a newcomer sees."""

import re
from collections.abc import Callable

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import AP_SOUTH, ASHBURN, EU_WEST, LONDON, SINGAPORE, US_EAST

pytestmark = pytest.mark.live
Dig = Callable[..., str]


def status(output: str) -> str:
    """The response code in dig's header."""
    found = re.search(r"status: (\w+)", output)
    return found[1] if found else output


def flags(output: str) -> set[str]:
    """The header flags."""
    found = re.search(r"^;; flags: ([a-z ]+);", output, re.MULTILINE)
    return set(found[1].split()) if found else set()


@pytest.mark.parametrize(
    ("client", "address"), [(LONDON, EU_WEST), (ASHBURN, US_EAST), (SINGAPORE, AP_SOUTH)]
)
def test_clients_get_their_nearest_region(dig: Dig, daemon: Daemon, client: str, address: str) -> None:
    """London is sent to Dublin, Ashburn and Singapore stay where they are."""
    assert dig(daemon.address, "www.example.com", "A", "+short", f"+subnet={client}").split() == [address]


def test_the_subnet_comes_back_with_a_scope(dig: Dig, daemon: Daemon) -> None:
    """RFC 7871 7.2.1: family, source and address as asked, and a scope of our own."""
    output = dig(daemon.address, "www.example.com", "A", f"+subnet={LONDON}")
    found = re.search(r"; CLIENT-SUBNET: 81\.2\.69\.0/24/(\d+)", output)
    assert found, output
    assert 8 <= int(found[1]) <= 32


def test_names_that_are_the_same_for_everybody_have_scope_0(dig: Dig, daemon: Daemon) -> None:
    """A static record may be cached for all clients."""
    assert "CLIENT-SUBNET: 81.2.69.0/24/0" in dig(daemon.address, "mail.example.com", f"+subnet={LONDON}")


def test_answers_are_authoritative(dig: Dig, daemon: Daemon) -> None:
    """AA is set, RA is not."""
    assert {"qr", "aa"} <= flags(dig(daemon.address, "www.example.com"))
    assert "ra" not in flags(dig(daemon.address, "www.example.com"))


def test_names_that_do_not_exist(dig: Dig, daemon: Daemon) -> None:
    """NXDOMAIN with the SOA, whose TTL is the negative one (RFC 2308)."""
    output = dig(daemon.address, "nothing.example.com")
    assert status(output) == "NXDOMAIN"
    assert re.search(r"^example\.com\.\s+60\s+IN\s+SOA\s", output, re.MULTILINE)


@pytest.mark.parametrize(("name", "kind"), [("www.example.com", "TXT"), ("empty.example.com", "A")])
def test_types_that_do_not_exist(dig: Dig, daemon: Daemon, name: str, kind: str) -> None:
    """NOERROR with the SOA and no answer; an empty non-terminal exists too (RFC 8020)."""
    output = dig(daemon.address, name, kind)
    assert status(output) == "NOERROR"
    assert "ANSWER: 0" in output
    assert re.search(r"\sSOA\s", output)


def test_foreign_names_are_refused(dig: Dig, daemon: Daemon) -> None:
    """Not our zone, not our answer."""
    assert status(dig(daemon.address, "www.elsewhere.test")) == "REFUSED"


def test_wildcards(dig: Dig, daemon: Daemon) -> None:
    """RFC 4592: any depth below the asterisk, and the asked name as owner."""
    output = dig(daemon.address, "a.b.app.example.com", "A", f"+subnet={SINGAPORE}")
    assert re.search(
        rf"^a\.b\.app\.example\.com\.\s+30\s+IN\s+A\s+{re.escape(AP_SOUTH)}", output, re.MULTILINE
    )


def test_https(dig: Dig, daemon: Daemon) -> None:
    """RFC 9460: the client's region in the hints, at a wildcard and behind an alias too; none at names
    whose service has no such records.
    """
    for client, address in ((LONDON, EU_WEST), (SINGAPORE, AP_SOUTH)):
        for name in ("secure", "x.y.secure", "to-secure"):
            record = dig(daemon.address, f"{name}.example.com", "HTTPS", "+short", f"+subnet={client}")
            assert record.splitlines()[-1].replace('"', "") == f"1 . alpn=h2,h3 ipv4hint={address}"
            assert address in dig(daemon.address, f"{name}.example.com", "A", "+short", f"+subnet={client}")
    output = dig(daemon.address, "www.example.com", "HTTPS")
    assert status(output) == "NOERROR"
    assert "ANSWER: 0" in output


def test_cnames_are_followed_inside_the_zone(dig: Dig, daemon: Daemon) -> None:
    """The alias and the steered answer in one response."""
    answer = dig(daemon.address, "alias.example.com", "A", "+short", f"+subnet={LONDON}").split()
    assert answer == ["www.example.com.", EU_WEST]


def test_cnames_out_of_the_zone_stand_alone(dig: Dig, daemon: Daemon) -> None:
    """What they lead to is somebody else's answer."""
    assert dig(daemon.address, "alone.example.com", "A", "+short").split() == ["www.elsewhere.test."]


def test_the_apex(dig: Dig, daemon: Daemon) -> None:
    """NS, SOA, MX and a steered address live side by side."""
    assert dig(daemon.address, "example.com", "NS", "+short").split() == [
        "ns1.example.com.",
        "ns2.example.com.",
    ]
    assert "hostmaster.example.com." in dig(daemon.address, "example.com", "SOA", "+short")
    assert dig(daemon.address, "example.com", "MX", "+short").strip() == "10 mail.example.com."
    assert dig(daemon.address, "example.com", "A", "+short", f"+subnet={ASHBURN}").split() == [US_EAST]


def test_tcp(dig: Dig, daemon: Daemon) -> None:
    """The same answer over TCP, several on one connection."""
    names = ["www.example.com", "mail.example.com"]
    answer = dig(daemon.address, "+tcp", "+keepopen", "+short", f"+subnet={LONDON}", *names)
    assert answer.split() == [EU_WEST, "192.0.2.60"]


def test_what_does_not_fit_is_truncated_and_complete_over_tcp(dig: Dig, daemon: Daemon) -> None:
    """TC over UDP; dig asks again over TCP and gets everything."""
    assert "tc" in flags(dig(daemon.address, "many.example.com", "TXT", "+ignore"))
    assert len(dig(daemon.address, "many.example.com", "TXT", "+short").splitlines()) == 20


def test_edns_versions(dig: Dig, daemon: Daemon) -> None:
    """RFC 6891 6.1.3: an EDNS version we do not know is BADVERS; without EDNS there is no OPT."""
    assert status(dig(daemon.address, "www.example.com", "+edns=1", "+noednsnegotiation")) == "BADVERS"
    assert "OPT PSEUDOSECTION" in dig(daemon.address, "www.example.com", "+edns=0")
    assert "OPT PSEUDOSECTION" not in dig(daemon.address, "www.example.com", "+noedns")


def test_the_case_of_the_question_is_kept(dig: Dig, daemon: Daemon) -> None:
    """0x20: resolvers compare it."""
    output = dig(daemon.address, "wWw.ExAmPlE.cOm", "A", f"+subnet={LONDON}")
    assert ";wWw.ExAmPlE.cOm." in output
    assert EU_WEST in output


def test_opcodes_we_do_not_serve(dig: Dig, daemon: Daemon) -> None:
    """NOTIMP for STATUS."""
    assert status(dig(daemon.address, "www.example.com", "+opcode=status")) == "NOTIMP"


def test_ipv6_clients(dig: Dig, daemon: Daemon) -> None:
    """A client subnet of family 2 is placed too, with a scope of at most /64."""
    output = dig(daemon.address, "www.example.com", "A", "+subnet=2a00:1450:4009::/48")
    found = re.search(r"; CLIENT-SUBNET: 2a00:1450:4009::/48/(\d+)", output)
    assert found, output
    assert int(found[1]) <= 64
    assert EU_WEST in output
