"""The exchange's memory on disk: a snapshot of the state and a journal of every input since.

Each input is one line, written before its answer leaves; after ``kill -9`` the inputs are applied
again to the snapshot and, the exchange being deterministic, give the same state. A torn last line
was never acknowledged and is dropped; any other damage stops the start.
"""

import fcntl
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from workers.exchange.errors import StartError
from workers.exchange.wire import dump, load

FORMAT = 1


class StateDirectory:
    """A directory with ``snapshot-N.json``, ``journal-N.jsonl`` and a lock.

    Journal N holds what came after snapshot N was begun. A new journal starts when a snapshot is
    begun, the snapshot appears when it is whole, and only then are older files removed: after a
    kill in between, the older snapshot and every journal since give the same state. So they do
    after a start, which begins a journal and leaves the snapshot for later.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._generation = 0
        self._journal = -1
        self._lock = -1

    def open(self) -> None:
        """Take the directory for this process.

        Raises:
            StartError: it cannot be made, or another server is using it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise StartError(f"another exchange is running on the state in {self.path}") from None
        except OSError as error:
            text = f"the state directory {self.path} cannot be used: {error.strerror}"
            raise StartError(text) from None

    def load(self) -> tuple[dict[str, Any] | None, Iterator[Any]]:
        """Return the newest snapshot (None: a new exchange) and the inputs that came after it."""
        snapshots, journals = self._generations("snapshot"), self._generations("journal")
        self._generation = max(snapshots + journals, default=0)
        if not snapshots:
            if journals:
                raise self._damaged("its snapshot is missing")
            return None, iter(())
        snapshot = self._read_snapshot(self._snapshot_path(snapshots[-1]))
        wanted = [generation for generation in journals if generation >= snapshots[-1]]
        if wanted != list(range(snapshots[-1], snapshots[-1] + len(wanted))):
            raise self._damaged("a journal is missing")
        return snapshot, self._read_journals(wanted)

    def append(self, record: Any) -> None:
        """Write one input; it survives the death of this process from here on."""
        line = dump(record)
        os.write(self._journal, b"%08x %b\n" % (zlib.crc32(line), line))

    def begin_journal(self) -> int:
        """Start the next journal; a snapshot of its number holds all that came before it."""
        self._generation += 1
        if self._journal >= 0:
            os.close(self._journal)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._journal = os.open(self._journal_path(self._generation), flags, 0o600)
        return self._generation

    def write_snapshot(self, generation: int, state: dict[str, Any]) -> None:
        """Write the snapshot of a number whole or not at all; another process may do it."""
        body = dump({"format": FORMAT, "state": state})
        temporary = self.path / f"snapshot-{generation}.tmp"
        with temporary.open("wb") as file:
            file.write(b"%08x " % zlib.crc32(body) + body)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o600)
        temporary.replace(self._snapshot_path(generation))

    def remove_before(self, generation: int) -> None:
        """Remove what a whole snapshot has made superfluous."""
        for kind in ("snapshot", "journal"):
            for old in self._generations(kind):
                if old < generation:
                    path = self._snapshot_path if kind == "snapshot" else self._journal_path
                    path(old).unlink()
        for torn in self.path.glob("snapshot-*.tmp"):
            if int(torn.stem.removeprefix("snapshot-")) < generation:
                torn.unlink(missing_ok=True)

    def close(self) -> None:
        """Release the directory."""
        for descriptor in (self._journal, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._journal = self._lock = -1

    def _snapshot_path(self, generation: int) -> Path:
        return self.path / f"snapshot-{generation}.json"

    def _journal_path(self, generation: int) -> Path:
        return self.path / f"journal-{generation}.jsonl"

    def _generations(self, kind: str) -> list[int]:
        files = [*self.path.glob(f"{kind}-*.json"), *self.path.glob(f"{kind}-*.jsonl")]
        return sorted(int(file.stem.removeprefix(f"{kind}-")) for file in files)

    def _read_snapshot(self, path: Path) -> dict[str, Any]:
        try:
            raw = path.read_bytes()
            if not _is_intact(raw):
                raise self._damaged(f"{path.name} does not match its checksum")
            document = orjson.loads(raw[9:])
        except (OSError, ValueError):
            raise self._damaged(f"{path.name} cannot be read") from None
        if document.get("format") != FORMAT:
            raise self._damaged(f"{path.name} was written by another version")
        state: dict[str, Any] = document["state"]
        return state

    def _read_journals(self, generations: list[int]) -> Iterator[Any]:
        for generation in generations:
            path = self._journal_path(generation)
            raw = path.read_bytes()
            complete = raw[: raw.rfind(b"\n") + 1]
            for number, line in enumerate(complete.splitlines(), start=1):
                if not _is_intact(line):
                    text = f"line {number} of {path.name} does not match its checksum"
                    raise self._damaged(text)
                yield load(line[9:])

    def _damaged(self, what: str) -> StartError:
        return StartError(
            f"the exchange's state in {self.path} is damaged: {what}. Move the directory away to "
            "start a new exchange, restore it from a backup, or choose another with --state"
        )


def _is_intact(line: bytes) -> bool:
    try:
        return int(line[:8], 16) == zlib.crc32(line[9:])
    except ValueError:
        return False
