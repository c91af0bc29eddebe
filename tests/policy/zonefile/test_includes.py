"""Which zone files a policy names, and where `$INCLUDE` may reach."""
# ruff: noqa: E501 - zone files and messages stand here whole

from georouter.policy.files import PolicyFile
from georouter.policy.zonefile.includes import ZoneSource, included, is_allowed, zone_source, zone_sources


def test_zone_sources() -> None:
    """Relative to the policy file that names them, each once; nonsense is left to the load."""
    first = PolicyFile(
        "/etc/g/10.yaml",
        "zones:\n  a: {file: z/a.zone}\n  b: {file: /var/b.zone}\n  c: {'file': z/../z/a.zone}\n  d: {file: [x]}\n",
    )
    second = PolicyFile("/etc/g/sub/20.yaml", "zones: {e: {file: ../e.zone}, f: {ns: x}, g: 5}\n")
    broken = PolicyFile("/etc/g/30.yaml", "zones: [file: x\n")
    assert zone_sources([first, second, broken, PolicyFile("/etc/g/40.yaml", "a: 1")]) == (
        ZoneSource("/etc/g/z/a.zone", ("/etc/g",)),
        ZoneSource("/var/b.zone", ("/etc/g", "/var")),
        ZoneSource("/etc/g/e.zone", ("/etc/g/sub", "/etc/g")),
    )
    assert zone_sources([PolicyFile("/p.yaml", "server: {admin_token_file: x}\nzones: {}\n")]) == ()


def test_included() -> None:
    """Only at the start of a line, in either spelling."""
    text = (
        '$INCLUDE a\n$include\t"b c" x ; y\n $INCLUDE no\n; $INCLUDE no\n$INCLUDE ../d e\n$TTL 5\n$INCLUDE /f'
    )
    assert list(included(text, "/etc/g/z/x.zone")) == ["/etc/g/z/a", "/etc/g/z/b c", "/etc/g/d", "/f"]


def test_allowed() -> None:
    """Below the policy's folder or the zone file's own, nowhere else."""
    source = zone_source("/var/zones/a.zone", "/etc/g/p.yaml", "/")
    for path in ("/etc/g/x", "/var/zones/x/y", "/var/zones/a.zone"):
        assert is_allowed(path, source)
    for path in ("/etc/gx/y", "/etc/passwd", "/var/zones", "/var/x"):
        assert not is_allowed(path, source)
