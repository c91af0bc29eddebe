"""Tenants in SQLite files: the table `tenants` as CSV text, as if it had been written so."""

import csv
import io
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from georouter.policy.files import Stamp

ENDINGS = (".db", ".sqlite", ".sqlite3")
WAIT_S = 5.0
"""For a writer that holds the database."""


def is_database(name: str) -> bool:
    """Whether the name's ending is that of an SQLite file."""
    return name.lower().endswith(ENDINGS)


def read(name: str, most: int) -> tuple[str, str, Stamp]:
    """The table's rows as CSV below a line with its columns, or what is wrong, and the file's stamp.

    One transaction: what is being written meanwhile is not seen in parts. At most `most` octets.
    """
    import sqlite3  # noqa: PLC0415 - few tenants are kept so

    stamp = stamp_of(name)
    if not stamp:
        return "", "No such file or directory", stamp
    if not Path(name).is_file():
        return "", "not a regular file", stamp
    text = io.StringIO(newline="")
    write = csv.writer(text, lineterminator="\n").writerow
    try:
        with closing(sqlite3.connect(f"file:{quote(name)}?mode=ro", uri=True, timeout=WAIT_S)) as database:
            rows = database.execute("SELECT * FROM tenants")
            write([column[0] for column in rows.description])
            for row in rows:
                write(row)
                if text.tell() > most:
                    return "", f"the tenants take more than {most // 1024 // 1024} MiB", stamp
    except sqlite3.Error as error:
        return "", f"{error} (an SQLite file with a table tenants(tenant, home, ...) was expected)", stamp
    return text.getvalue(), "", stamp


def stamp_of(name: str) -> Stamp:
    """What tells the database from a later one: the file and its write-ahead log."""
    found: list[int] = []
    for path in (Path(name), Path(f"{name}-wal")):
        try:
            status = path.stat()
        except OSError:
            continue
        found += [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns]
    return tuple(found)
