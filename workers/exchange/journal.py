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

FORMAT = 1


class StateDirectory:
    """A directory with ``snapshot-N.json``, ``journal-N.jsonl`` and a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.appended = 0
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
        generations = sorted(
            int(file.stem.removeprefix("snapshot-")) for file in self.path.glob("snapshot-*.json")
        )
        if not generations:
            if any(self.path.glob("journal-*.jsonl")):
                raise self._damaged("its snapshot is missing")
            return None, iter(())
        self._generation = generations[-1]
        snapshot = self._read_snapshot(self._snapshot_path(self._generation))
        return snapshot, self._read_journal()

    def append(self, record: Any) -> None:
        """Write one input; it survives the death of this process from here on."""
        line = orjson.dumps(record)
        os.write(self._journal, b"%08x %b\n" % (zlib.crc32(line), line))
        self.appended += 1

    def snapshot(self, state: dict[str, Any]) -> None:
        """Replace snapshot and journal by a new generation; crash-safe at every point."""
        generation = self._generation + 1
        body = orjson.dumps({"format": FORMAT, "state": state})
        temporary = self.path / "snapshot.tmp"
        with temporary.open("wb") as file:
            file.write(b"%08x " % zlib.crc32(body) + body)
            file.flush()
            os.fsync(file.fileno())
        (self.path / f"journal-{generation}.jsonl").unlink(missing_ok=True)
        temporary.replace(self._snapshot_path(generation))
        self._generation = generation
        self._open_journal()
        self.appended = 0
        for old in (*self.path.glob("snapshot-*.json"), *self.path.glob("journal-*.jsonl")):
            if int(old.stem.split("-")[1]) < generation:
                old.unlink()

    def close(self) -> None:
        """Release the directory."""
        for descriptor in (self._journal, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._journal = self._lock = -1

    def _snapshot_path(self, generation: int) -> Path:
        return self.path / f"snapshot-{generation}.json"

    def _journal_path(self) -> Path:
        return self.path / f"journal-{self._generation}.jsonl"

    def _open_journal(self) -> None:
        if self._journal >= 0:
            os.close(self._journal)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._journal = os.open(self._journal_path(), flags, 0o600)

    def _read_snapshot(self, path: Path) -> dict[str, Any]:
        try:
            raw = path.read_bytes()
            if int(raw[:8], 16) != zlib.crc32(raw[9:]):
                raise self._damaged(f"{path.name} does not match its checksum")
            document = orjson.loads(raw[9:])
        except (OSError, ValueError):
            raise self._damaged(f"{path.name} cannot be read") from None
        if document.get("format") != FORMAT:
            raise self._damaged(f"{path.name} was written by another version")
        state: dict[str, Any] = document["state"]
        return state

    def _read_journal(self) -> Iterator[Any]:
        path = self._journal_path()
        raw = path.read_bytes() if path.exists() else b""
        complete = raw[: raw.rfind(b"\n") + 1]
        for number, line in enumerate(complete.splitlines(), start=1):
            try:
                intact = int(line[:8], 16) == zlib.crc32(line[9:])
            except ValueError:
                intact = False
            if not intact:
                raise self._damaged(f"line {number} of {path.name} does not match its checksum")
            yield orjson.loads(line[9:])

    def _damaged(self, what: str) -> StartError:
        return StartError(
            f"the exchange's state in {self.path} is damaged: {what}. Move the directory away to "
            "start a new exchange, restore it from a backup, or choose another with --state"
        )
