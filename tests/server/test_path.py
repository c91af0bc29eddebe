"""Which packet path is taken, and who says so."""

import sys

import pytest

import georouter.server
from georouter.server import path
from georouter.words.errors import SourceError


@pytest.mark.parametrize(
    ("wanted", "environ", "built", "expected"),
    [
        ("auto", {}, True, "native"),
        ("auto", {}, False, "python"),
        ("python", {}, True, "python"),
        ("native", {}, True, "native"),
        ("native", {path.VARIABLE: "python"}, True, "python"),
        ("python", {path.VARIABLE: "native"}, True, "native"),
        ("python", {path.VARIABLE: ""}, True, "python"),
    ],
)
def test_the_environment_counts_more_than_the_policy(
    wanted: str, environ: dict[str, str], built: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And both more than what was built."""
    monkeypatch.setattr(path, "available", lambda: built)
    assert path.chosen(wanted, environ) == expected


@pytest.mark.parametrize(
    ("wanted", "environ", "problem"),
    [
        ("native", {}, "C compiler"),
        ("auto", {path.VARIABLE: "native"}, "C compiler"),
        ("auto", {path.VARIABLE: "fast"}, r"\$GEOROUTER_PATH is 'fast'"),
    ],
)
def test_what_cannot_be_had_is_an_error(
    wanted: str, environ: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what to do."""
    monkeypatch.setattr(path, "available", lambda: False)
    with pytest.raises(SourceError, match=problem):
        path.chosen(wanted, environ)


@pytest.mark.parametrize(("said", "wanted"), [("", True), ("auto", True), ("off", False)])
def test_huge_pages_are_asked_for_unless_somebody_says_no(said: str, wanted: bool) -> None:
    """An empty variable says nothing."""
    assert path.huge_pages({path.HUGE_PAGES: said}) == wanted
    assert path.huge_pages({})


def test_huge_pages_are_auto_or_off() -> None:
    """Anything else is a mistake that is named."""
    with pytest.raises(SourceError, match=r"\$GEOROUTER_HUGE_PAGES is 'no': expected auto or off"):
        path.huge_pages({path.HUGE_PAGES: "no"})


def test_without_the_extension_there_is_no_native_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither without the answer function nor without the loop."""
    monkeypatch.setattr("georouter.answers.native.available", lambda: False)
    assert not path.available()
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "georouter.server._loop", None)
    monkeypatch.delattr(georouter.server, "_loop", raising=False)
    assert not path.available()
