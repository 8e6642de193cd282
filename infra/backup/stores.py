"""Where backups are kept: named objects, written whole or not at all. A port with one adapter."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from infra.backup.errors import DamagedBackupError
from infra.runtime.files import write_atomically


class ObjectStore(Protocol):
    """Named objects of bytes; a name has the form ``BACKUP/OBJECT``."""

    def put(self, name: str, content: bytes) -> None:
        """Store an object whole, replacing one of the same name."""

    def get(self, name: str) -> bytes:
        """Return an object.

        Raises:
            DamagedBackupError: there is no such object.
        """

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""

    def backups(self) -> Iterator[str]:
        """Yield the name of everything that looks like a backup, oldest first."""

    def remove(self, backup: str, first: str) -> None:
        """Remove a backup; the object ``first`` goes before all others."""


class DirectoryStore:
    """A directory of this machine, or one that is mounted: one folder per backup."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, name: str, content: bytes) -> None:
        """Write a file whole and synced, readable by its owner only."""
        path = self._directory / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, content, 0o600)

    def get(self, name: str) -> bytes:
        """Return a file's content."""
        try:
            return (self._directory / name).read_bytes()
        except FileNotFoundError:
            raise DamagedBackupError(f"{self._directory / name} is missing") from None

    def exists(self, name: str) -> bool:
        """Tell whether there is such a file."""
        return (self._directory / name).is_file()

    def backups(self) -> Iterator[str]:
        """Yield the names of the folders, oldest first: a name begins with its time."""
        if self._directory.is_dir():
            folders = (path.name for path in self._directory.iterdir() if path.is_dir())
            yield from sorted(name for name in folders if not name.startswith("."))

    def remove(self, backup: str, first: str) -> None:
        """Remove a folder; a kill in between leaves one without its manifest."""
        (self._directory / backup / first).unlink(missing_ok=True)
        shutil.rmtree(self._directory / backup)
