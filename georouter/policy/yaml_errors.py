"""Syntax errors in words that say what to type instead."""

import re

import yaml as pyyaml

from georouter.words.errors import Diagnostic

_START_MATTERS = ("while scanning an alias", "while scanning an anchor", "while scanning a quoted scalar")
"""What is better pointed at where it begins than where it went wrong."""

_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What YAML 1.1 calls a line break (4.1.4)."""

_UNCLOSED = {"did not find expected ',' or '}'": "}", "did not find expected ',' or ']'": "]"}

_JOINED = re.compile(r"\s*(?:- )?[\w.-]+:[^\s:/]")
_NO_BLANK = 'this line is no "key: value"; a blank follows the colon'

_QUOTE = 'put it in quotes: "{0}"'


def explain(file: str, text: str, error: pyyaml.YAMLError) -> Diagnostic:
    """The diagnostic for what PyYAML raised while reading `text`."""
    text = text.removeprefix("\ufeff")
    if not isinstance(error, pyyaml.MarkedYAMLError):
        return _unreadable(file, text, error)
    context, problem = error.context or "", error.problem or "not valid YAML"
    mark = error.problem_mark or error.context_mark
    starts = context in _START_MATTERS or problem == "could not find expected ':'"
    if starts and error.context_mark:
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = _LINE_END.split(text)
    if line > len(lines):  # libyaml ends a last line that has no end
        line, column = len(lines), len(lines[-1]) + 1
    rest = lines[line - 1][column - 1 :]
    if "mapping values are not allowed" in problem and line > 1 and _JOINED.match(lines[line - 2]):
        return Diagnostic(file, line - 1, 1, "", _NO_BLANK)
    return Diagnostic(file, line, column, "", _message(context, problem, rest, error))


def place_of(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of the character at offset `at`."""
    ends = [found.end() for found in _LINE_END.finditer(text, 0, at)]
    return len(ends) + 1, at - (ends[-1] if ends else 0) + 1


def _message(context: str, problem: str, rest: str, error: pyyaml.MarkedYAMLError) -> str:
    first = rest[:1]
    if first == "\t" or "tab character" in problem:
        return "a tab cannot be used for indentation; use spaces"
    if first == "*" and context == "while scanning an alias":
        return f'a plain "*" starts an alias; {_QUOTE.format(_word(rest))}'
    if first == "&" and context == "while scanning an anchor":
        return f'a plain "&" starts an anchor; {_QUOTE.format(_word(rest))}'
    if first in ("@", "`", "%") and "cannot start any token" in problem:
        return f'plain text cannot start with "{first}"; {_QUOTE.format(_word(rest))}'
    if first == ":" and "expected node content" in problem:
        return 'an IPv6 address in brackets must be in quotes: "[::1]:5300"'
    if "mapping values are not allowed" in problem:
        return 'a ": " is not allowed here; put text that holds it in quotes, and check the indentation'
    if "unexpected end of stream" in problem and first in ('"', "'"):
        return "this quote is never closed"
    mark = error.context_mark
    if mark and problem == "did not find expected key" and context == "while parsing a block mapping":
        if rest.startswith("- "):
            return (
                f"this is an item of a list, and line {mark.line + 1} begins with a key; one of them is wrong"
            )
        return (
            f"does not fit what begins on line {mark.line + 1}, whose keys stand in column {mark.column + 1};"
            " check the indentation"
        )
    if problem == "could not find expected ':'":
        return _NO_BLANK
    if mark and problem in _UNCLOSED:
        bracket = _UNCLOSED[problem]
        return f'a "," is missing before this, or a "{bracket}" for the bracket on line {mark.line + 1}'
    started = ""
    if error.context_mark and context and error.context_mark.line + 1 > 0:
        started = f" ({context}, which starts on line {error.context_mark.line + 1})"
    return f"this is not valid YAML: {problem}{started}"


def _word(rest: str) -> str:
    """The name that was meant: everything up to the colon, comma, bracket or blank."""
    found = re.match(r"[^\s:,\[\]{}#\"]+", rest)
    return found.group() if found else rest[:1]


def _unreadable(file: str, text: str, error: pyyaml.YAMLError) -> Diagnostic:
    position = getattr(error, "position", 0)
    found = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    at = found.start() if found else position if isinstance(position, int) else 0
    line, column = place_of(text, at)
    if found:
        return Diagnostic(file, line, column, "", f"the control character {found.group()!r} is not allowed")
    return Diagnostic(file, line, column, "", f"this is not valid YAML: {str(error).splitlines()[0]}")
