import pytest

from georouter.policy.asterisks import odd
from georouter.wire.names import parse_name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("www.example.com", None),
        (".", None),
        ("*.example.com", None),
        ("*", None),
        ("*.*.example.com", 'only the first "*" is a wildcard: this covers names below "*.example.com"'),
        ("*.a*.example.com", 'only the first "*" is a wildcard: this covers names below "a*.example.com"'),
        ("a.*.example.com", 'a wildcard is a first label that is just "*"; this one is literal'),
        ("*a.example.com", 'a wildcard is a first label that is just "*"; this one is literal'),
        ("a*.example.com", 'a wildcard is a first label that is just "*"; this one is literal'),
    ],
)
def test_odd(name: str, said: str | None) -> None:
    """Every asterisk but a first label of one is literal, and that is said (RFC 4592 2.1.1)."""
    found = odd(parse_name(name))
    assert found == said if said is None else found is not None and found.startswith(said)
