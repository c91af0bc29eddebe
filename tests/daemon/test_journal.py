"""Events on their way to people."""

import logging

import pytest

from georouter.daemon.journal import LEVELS, RECENT, Journal


def journal(heard: list[tuple[str, dict[str, object]]]) -> Journal:
    """One whose clock stands still."""
    return Journal(lambda name, fields: heard.append((name, fields)), wall=lambda: 5.0)


def test_an_event_is_logged_kept_and_heard(caplog: pytest.LogCaptureFixture) -> None:
    """In one line for `status`, without what says nothing; the listener gets all fields."""
    heard: list[tuple[str, dict[str, object]]] = []
    made = journal(heard)
    with caplog.at_level(logging.INFO):
        made.tell("answers.changed", service="web", was=["a", "b"], now=(), moved=None, problems=("x",))
    assert [record.getMessage() for record in caplog.records] == ["answers.changed"]
    assert list(made.recent) == [{"at": 5.0, "event": "answers.changed", "text": "service web, was a, b"}]
    assert heard == [
        (
            "answers.changed",
            {"service": "web", "was": ["a", "b"], "now": (), "moved": None, "problems": ("x",)},
        )
    ]


@pytest.mark.parametrize(("name", "level"), [*LEVELS.items(), ("policy.loaded", logging.INFO)])
def test_how_loud(name: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    """By the table; what only developers look at is not kept for `status`."""
    made = journal([])
    with caplog.at_level(logging.DEBUG):
        made.tell(name, reason="x")
    assert caplog.records[0].levelno == level
    assert bool(made.recent) == (level != logging.DEBUG)


def test_only_the_latest_are_kept() -> None:
    """The oldest go first."""
    made = journal([])
    for number in range(RECENT + 5):
        made.tell("policy.loaded", number=number)
    assert len(made.recent) == RECENT
    assert made.recent[0]["text"] == "number 5"
