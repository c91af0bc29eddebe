"""Noticing file changes, the ways editors and config managers make them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from georouter.sources.watch import changes, directories


def test_a_file_is_watched_by_its_folder(tmp_path: Path) -> None:
    """Single files are never watched: a rename over them would end the watch."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("a")
    assert directories([policy]) == {tmp_path}


def test_a_folder_is_watched_itself(tmp_path: Path) -> None:
    """New files in a policy folder count."""
    assert directories([tmp_path]) == {tmp_path}


def test_a_config_map_is_watched_where_its_links_are(tmp_path: Path) -> None:
    """`policy.yaml -> ..data/policy.yaml`, `..data -> ..2026`: the swap of `..data` must be seen."""
    version = tmp_path / "..2026"
    version.mkdir()
    (version / "policy.yaml").write_text("a")
    (tmp_path / "..data").symlink_to("..2026")
    link = tmp_path / "policy.yaml"
    link.symlink_to("..data/policy.yaml")
    assert directories([link]) >= {tmp_path, version}


def test_a_file_that_is_not_there_yet_is_awaited_in_its_folder(tmp_path: Path) -> None:
    """A database may be delivered after the daemon has started."""
    assert directories([tmp_path / "later.mmdb"]) == {tmp_path}


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """A link to itself is a mistake, not a hang."""
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    assert directories([loop]) == {tmp_path}


def _replace_by_rename(folder: Path) -> None:
    new = folder / "policy.yaml.new"
    new.write_text("b")
    new.rename(folder / "policy.yaml")


def _write_in_place(folder: Path) -> None:
    (folder / "policy.yaml").write_text("b")


def _delete(folder: Path) -> None:
    (folder / "policy.yaml").unlink()


@pytest.mark.parametrize("change", [_replace_by_rename, _write_in_place, _delete])
def test_a_change_is_reported(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """However a file is changed, somebody hears of it."""
    (tmp_path / "policy.yaml").write_text("a")
    seen = asyncio.run(_first_change(tmp_path, lambda: asyncio.to_thread(change, tmp_path)))
    assert str(tmp_path / "policy.yaml") in seen


def test_our_own_state_is_not_a_change(tmp_path: Path) -> None:
    """What is written under `ignore` goes unnoticed."""
    state = tmp_path / "state"
    state.mkdir()
    (tmp_path / "policy.yaml").write_text("a")

    async def scribble() -> None:
        (state / "state.json").write_text("{}")
        await asyncio.sleep(0.3)
        (tmp_path / "policy.yaml").write_text("b")

    seen = asyncio.run(_first_change(tmp_path, scribble, ignore=state))
    assert seen == {str(tmp_path / "policy.yaml")}


async def _first_change(
    folder: Path, change: Callable[[], Awaitable[None]], ignore: Path | None = None
) -> frozenset[str]:
    stop = asyncio.Event()
    task: asyncio.Task[None] | None = None

    async def change_until_seen() -> None:
        await asyncio.sleep(0.2)  # the watch is set up in a thread of the library's
        await change()

    async with asyncio.timeout(20):
        task = asyncio.create_task(change_until_seen())
        async for batch in changes([folder / "policy.yaml"], stop=stop, ignore=[ignore] if ignore else []):
            stop.set()
            await task
            return batch
    raise AssertionError("the watch ended without a change")
