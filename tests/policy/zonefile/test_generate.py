"""$GENERATE: ranges, templates, modifiers."""

import pytest

from georouter.policy.zonefile.generate import expand, numbers, split_range
from tests.policy.zonefile.zones import HEAD, lines


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("h$ A 10.0.0.$", ["h1 A 10.0.0.1", "h2 A 10.0.0.2"]),
        ("h${0,3} A x", ["h001 A x", "h002 A x"]),
        ("h${10} A ${-1}", ["h11 A 0", "h12 A 1"]),
        ("${14,2,x} ${14,2,X} ${7,0,o}", ["0f 0F 10", "10 10 11"]),
        ("${31,0,n} ${0,3,n} ${170,5,N}", ["0.2 1.0 B.A.0", "1.2 2.0 C.A.0"]),
        (r"\$ $$ $", ["$ $ 1", "$ $ 2"]),
        ("nothing", ["nothing", "nothing"]),
    ],
)
def test_expand(template: str, expected: list[str]) -> None:
    """BIND's modifiers: offset, width, base; nibbles come lowest first."""
    assert list(expand(range(1, 3), template)) == expected


def test_ranges() -> None:
    """Both ends belong to it."""
    assert list(numbers("0-4/2")) == [0, 2, 4]
    assert split_range("  1-2  a$ A b ") == (range(1, 3), "a$ A b")
    for text in ("", "1", "2-1", "1-2/0", "a-b", "1-99999999999", "1-2147483648"):
        with pytest.raises(ValueError, match="is not a range"):
            numbers(text)


@pytest.mark.parametrize("modifier", ["", "x", "1,2,z", "1,", "1,2,3,4", "99999999999"])
def test_bad_modifiers(modifier: str) -> None:
    """Named with what would be right."""
    with pytest.raises(ValueError, match="is not a modifier such as"):
        list(expand(range(1), f"${{{modifier}}}"))


def test_negative_results() -> None:
    """An offset must not lead below zero."""
    with pytest.raises(ValueError, match="makes -1, which is negative"):
        list(expand(range(2), "${-1}"))


def test_generated_records() -> None:
    """Common lines and others, below the origin in force."""
    text = HEAD + '$ORIGIN rev\n$GENERATE 1-2 $ 5m IN PTR host-${0,2}\n$GENERATE 3-4 c$ CAA 0 issue "c$"\n'
    assert lines(text) == [
        "1.rev 300 PTR host-01.rev",
        "2.rev 300 PTR host-02.rev",
        'c3.rev 300 CAA 0 issue "c3"',
        'c4.rev 300 CAA 0 issue "c4"',
    ]


def test_data_in_quotation_marks() -> None:
    """BIND takes data of several words so; the marks are not part of it, escaped ones inside are."""
    text = (
        HEAD
        + '$GENERATE 1-1 a TXT "two $"\n$GENERATE 1-1 b TXT "\\"one $\\""\n$GENERATE 7-7 c MX "$ host$"\n'
    )
    assert lines(text) == ['a 3600 TXT "two" "1"', 'b 3600 TXT "one 1"', "c 3600 MX 7 host7"]
