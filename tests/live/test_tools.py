"""Asked with other tools than dig: each finds what it looks for, and complains about nothing."""

import subprocess
from collections.abc import Callable

import pytest

from benchmarks.harness.daemon import Daemon
from benchmarks.harness.policies import EU_WEST

pytestmark = pytest.mark.live
NAME = "mail.example.com"
ADDRESS = "192.0.2.60"


@pytest.fixture
def tool(need: Callable[[str], str], daemon: Daemon) -> Callable[..., str]:
    """`tool(command, *words)` gives what it prints; @HOST and @PORT stand for the daemon's address."""
    host, port = daemon.address

    def run(command: str, *words: str, code: int = 0) -> str:
        line = [word.replace("@HOST", host).replace("@PORT", str(port)) for word in words]
        done = subprocess.run([need(command), *line], capture_output=True, text=True, timeout=20, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "warning" not in said.lower().replace(";; warning: truncated reply", ""), said
        assert "mismatch" not in said.lower(), said
        return said

    return run


@pytest.mark.parametrize(
    "how", [(), ("+tcp",), ("+edns", "+dnssec"), ("+cookie", "+nsid"), ("+padding=128",)]
)
def test_kdig(tool: Callable[..., str], how: tuple[str, ...]) -> None:
    """Knot's dig, with and without EDNS and its options."""
    assert ADDRESS in tool("kdig", "@@HOST", "-p", "@PORT", *how, NAME)


def test_kdig_with_a_client_subnet(tool: Callable[..., str]) -> None:
    """It prints the scope."""
    said = tool("kdig", "@@HOST", "-p", "@PORT", "+subnet=81.2.69.0/24", "www.example.com")
    assert "CLIENT-SUBNET: 81.2.69.0/24/" in said
    assert EU_WEST in said


def test_kdig_comes_back_over_tcp(tool: Callable[..., str]) -> None:
    """After an answer that did not fit."""
    said = tool("kdig", "@@HOST", "-p", "@PORT", "many.example.com", "TXT")
    assert "truncated reply" in said
    assert said.count("\tTXT\t") == 20


@pytest.mark.parametrize("how", [(), ("-t",), ("-D",), ("-b", "4096"), ("-b", "512", "-D")])
def test_drill(tool: Callable[..., str], how: tuple[str, ...]) -> None:
    """NLnet Labs' dig: over UDP and TCP, with DO, with sizes."""
    said = tool("drill", *how, "-p", "@PORT", NAME, "@@HOST")
    assert "rcode: NOERROR" in said
    assert ADDRESS in said


def test_host(tool: Callable[..., str]) -> None:
    """It asks for A, AAAA and MX by itself."""
    said = tool("host", "-p", "@PORT", NAME, "@HOST")
    assert f"{NAME} has address {ADDRESS}" in said
    assert f"{NAME} has IPv6 address 2001:db8::60" in said
    assert "has IPv6" not in tool("host", "-p", "@PORT", "below.empty.example.com", "@HOST")
    assert "not found: 3(NXDOMAIN)" in tool("host", "-p", "@PORT", "nothing.example.com", "@HOST", code=1)


def test_host_follows_aliases(tool: Callable[..., str]) -> None:
    """In the order that the records are in."""
    said = tool("host", "-t", "A", "-p", "@PORT", "alias.example.com", "@HOST").splitlines()
    assert said[-2] == "alias.example.com is an alias for www.example.com."
    assert said[-1].startswith("www.example.com has address 192.0.2.")


def test_nslookup(tool: Callable[..., str]) -> None:
    """It sends neither EDNS nor anything modern."""
    assert f"Address: {ADDRESS}" in tool("nslookup", "-port=@PORT", NAME, "@HOST")
    assert "mail exchanger = 10 mail.example.com." in tool(
        "nslookup", "-port=@PORT", "-type=mx", "example.com", "@HOST"
    )
    assert "NXDOMAIN" in tool("nslookup", "-port=@PORT", "nothing.example.com", "@HOST", code=1)


def test_delv(tool: Callable[..., str]) -> None:
    """BIND's resolver library without validation: answers and denials."""
    assert ADDRESS in tool("delv", "@@HOST", "-p", "@PORT", "-i", NAME)
    assert "ncache nxdomain" in tool("delv", "@@HOST", "-p", "@PORT", "-i", "nothing.example.com")
    assert "ncache nxrrset" in tool("delv", "@@HOST", "-p", "@PORT", "-i", NAME, "MX")
