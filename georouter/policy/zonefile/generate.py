"""`$GENERATE start-stop[/step] owner [ttl] [class] type data`: one line for many records, as BIND has it."""

import re
from collections.abc import Iterator

from georouter.policy.zonefile.entry import take_word

LARGEST_NUMBER = 2**31 - 1

_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?\Z", re.ASCII)
_QUOTED = re.compile(r'([^"]*\s)"((?:[^"\\]|\\.)*)"\Z', re.DOTALL)
_SPOT = re.compile(r"\\\$|\$\$|\$(?:\{([^}]*)\})?", re.ASCII)
_MODIFIER = re.compile(r"([+-]?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?\Z", re.ASCII)


def numbers(text: str) -> range:
    """`1-10/2` as the numbers it means. ValueError with a reason."""
    found = _RANGE.match(text)
    if found is None:
        raise ValueError(f"'{text}' is not a range such as 1-100 or 0-254/2")
    start, stop, step = int(found[1]), int(found[2]), int(found[3] or 1)
    if start > stop or stop > LARGEST_NUMBER or step < 1:
        raise ValueError(f"'{text}' is not a range: start, stop and step rise up to {LARGEST_NUMBER}")
    return range(start, stop + 1, step)


def split_range(text: str) -> tuple[range, str]:
    r"""The numbers and the template of what follows `$GENERATE`. ValueError with a reason.

    BIND takes data of several words in quotation marks, which are not part of it; `\"` inside them is.
    """
    word, template = take_word(text.strip())
    if not template:
        raise ValueError("$GENERATE needs a range, an owner, a type and data")
    quoted = _QUOTED.match(template)
    if quoted is not None:
        template = quoted[1] + quoted[2].replace('\\"', '"')
    return numbers(word), template


def expand(span: range, template: str) -> Iterator[str]:
    r"""The template with every `$` and `${offset,width,base}` replaced by each number.

    `\$` and `$$` are a dollar sign. Raises ValueError for a bad modifier or a negative result.
    """
    literal: list[str] = []
    spots: list[tuple[int, int, str]] = []
    at, pending = 0, ""
    for found in _SPOT.finditer(template):
        pending += template[at : found.start()]
        at = found.end()
        if found[0] in ("\\$", "$$"):
            pending += "$"
            continue
        literal.append(pending)
        spots.append(_modifier(found[1]))
        pending = ""
    literal.append(pending + template[at:])
    for number in span:
        parts = [literal[0]]
        for (offset, width, base), after in zip(spots, literal[1:], strict=True):
            parts += (_digits(number + offset, width, base), after)
        yield "".join(parts)


def _modifier(text: str | None) -> tuple[int, int, str]:
    if text is None:
        return 0, 0, "d"
    found = _MODIFIER.match(text)
    if found is None:
        raise ValueError(
            f"'${{{text}}}' is not a modifier such as ${{0,3,d}}: offset, width, base (d o x X n N)"
        )
    return int(found[1]), int(found[2] or 0), found[3] or "d"


def _digits(number: int, width: int, base: str) -> str:
    if number < 0:
        raise ValueError(f"an offset makes {number}, which is negative")
    if base in "nN":
        return _nibbles(number, width, base)
    return f"{number:0{width}{base}}"


def _nibbles(number: int, width: int, base: str) -> str:
    """Hexadecimal digits, the lowest first, with dots between them; `width` counts the dots."""
    digits: list[str] = []
    while not digits or number or 2 * len(digits) - 1 < width:
        digits.append(f"{number & 0xF:{'x' if base == 'n' else 'X'}}")
        number >>= 4
    return ".".join(digits)
