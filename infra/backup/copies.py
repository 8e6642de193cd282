"""Copies of what is kept in files, whole although their owners go on writing."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from infra.backup.errors import BackupError

ATTEMPTS = 50


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database as of one moment; its owner may go on writing (WAL).

    Raises:
        BackupError: the copy does not hold together.
    """
    with (
        closing(sqlite3.connect(source, timeout=30)) as database,
        closing(sqlite3.connect(target)) as copy,
    ):
        database.backup(copy)
        verdict = str(copy.execute("PRAGMA quick_check").fetchone()[0])
    target.chmod(0o600)
    if verdict != "ok":
        raise BackupError(f"the copy of {source} does not hold together: {verdict}")


def copy_exchange(source: Path, target: Path) -> None:
    """Copy the simulator's state: snapshots, journals and accounts.

    A journal only grows, and what its copy ends with in the middle of a line was not answered yet.
    Where a journal or a snapshot came or went meanwhile, the copy is made anew: the state would
    have a hole.

    Raises:
        BackupError: the files change faster than they can be copied.
    """
    for _ in range(ATTEMPTS):
        shutil.rmtree(target, ignore_errors=True)
        before = _generations(source)
        try:
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("lock", "*.tmp"))
        except (FileNotFoundError, shutil.Error):
            continue
        if _generations(source) == before:
            return
    raise BackupError(f"{source} changes faster than it can be copied")


def _generations(directory: Path) -> set[str]:
    return {path.name for path in directory.glob("*-*.json*")}
