"""Tenants in SQLite files."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from georouter.sources import policy_files, tenant_tables
from georouter.sources.zone_files import stamps, stamps_now

MOST = 10**6


def make(path: Path, *rows: tuple[str, ...], log: bool = False) -> sqlite3.Connection:
    """A database with these tenants, still open."""
    database = sqlite3.connect(path)
    if log:
        database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE IF NOT EXISTS tenants(tenant TEXT, home TEXT, residency TEXT)")
    database.executemany("INSERT INTO tenants VALUES (?, ?, ?)", rows)
    database.commit()
    return database


def test_rows_come_as_csv(tmp_path: Path) -> None:
    """Nothing where the database has nothing."""
    path = tmp_path / "t%41.db"
    make(path, ("a", "eu", "EU, DE"), ("b", "us", None)).close()  # type: ignore[arg-type]
    text, problem, stamp = tenant_tables.read(str(path), MOST)
    assert (text, problem) == ('tenant,home,residency\na,eu,"EU, DE"\nb,us,\n', "")
    assert stamp == tenant_tables.stamp_of(str(path)) != ()


def test_what_is_in_the_log_counts(tmp_path: Path) -> None:
    """A writer with a write-ahead log need not close the database, and its rows are news."""
    path = tmp_path / "t.sqlite"
    with closing(make(path, ("a", "eu", ""), log=True)) as writer:
        before = tenant_tables.stamp_of(str(path))
        writer.execute("INSERT INTO tenants VALUES ('b', 'us', '')")
        assert "b,us" not in tenant_tables.read(str(path), MOST)[0]
        writer.commit()
        assert "b,us" in tenant_tables.read(str(path), MOST)[0]
        assert tenant_tables.stamp_of(str(path)) != before


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A file that is not there, is something else, lacks the table, or is too large."""
    path = tmp_path / "t.db"
    assert tenant_tables.read(str(path), MOST)[1] == "No such file or directory"
    os.mkfifo(path)
    assert tenant_tables.read(str(path), MOST)[1] == "not a regular file"
    path.unlink()
    path.write_bytes(b"this is no database" * 100)
    assert "file is not a database" in tenant_tables.read(str(path), MOST)[1]
    path.unlink()
    sqlite3.connect(path).close()
    path.touch()
    assert "no such table: tenants" in tenant_tables.read(str(path), MOST)[1]
    make(path, ("a", "eu", "")).close()
    assert "more than" in tenant_tables.read(str(path), 10)[1]


def test_a_policy_brings_its_tenant_files(tmp_path: Path) -> None:
    """Relative to the policy; their stamps tell when they change."""
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "services:\n  a: {chain: [pin: {directory: sub/t.csv}]}\n  b: {chain: [pin: {directory: t.db}]}\n"
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "t.csv").write_bytes(b"tenant,home\n\xe9,eu\n")
    make(tmp_path / "t.db", ("a", "eu", "")).close()
    files = policy_files.read_settled(policy)
    assert [(Path(file.name).name, file.zone, file.problem) for file in files] == [
        ("p.yaml", False, ""),
        ("t.csv", True, ""),
        ("t.db", True, ""),
    ]
    known = stamps(files)
    assert stamps_now(known) == known
    make(tmp_path / "t.db", ("b", "us", "")).close()
    assert stamps_now(known) != known
