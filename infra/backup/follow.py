"""The write-ahead log after a base backup, sealed every few seconds: what bounds the loss.

pg_receivewal writes it to a spool as it arises; each round seals what changed, then an authentic
list of all segments with the moment until which they reach. Segments belong to one backup, which is
made while the log is received already, so that nothing is missing between the two.
"""

import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
from pydantic import BaseModel

from infra.backup import manifest as manifests
from infra.backup.errors import BackupError, DamagedBackupError
from infra.backup.keys import DATA, BackupKeys
from infra.backup.sealing import KEY_BYTES, seal, unseal
from infra.backup.stores import ObjectStore
from infra.runtime.database.client_programs import connection_words
from infra.stack.postgres_binaries import binary_directory

FILE = "log.json"
SEGMENT = re.compile(r"([0-9A-F]{24})(\.partial)?")
STREAMS_WITHIN_SECONDS = 60.0
_STREAMS = "SELECT state FROM pg_stat_replication WHERE application_name = %s"


class Log(BaseModel):
    """The segments after a base backup.

    Attributes:
        until: the moment until which they hold everything that was committed.
        key: the key of the segments, wrapped by the key of the data.
        segments: SHA-256 of each one by its name, before encryption.
    """

    until: datetime
    key: str
    segments: dict[str, str]


@contextmanager
def receiving(url: str, spool: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Write the server's log to a spool for as long as the block lasts.

    The block begins when the server streams: a checkpoint before that, such as a base backup makes,
    may remove the very segment that was about to be asked for.

    Args:
        url: the server, as a role that may replicate.
        spool: a directory for this alone; what it holds of an earlier run is removed.

    Raises:
        BackupError: the server does not stream its log.
    """
    shutil.rmtree(spool, ignore_errors=True)
    spool.mkdir(mode=0o700)
    name = f"aether-log-{os.urandom(8).hex()}"
    words = connection_words(url, application_name=name)
    command = [
        str(binary_directory() / "pg_receivewal"),
        f"--directory={spool}",
        f"--dbname={words.dbname}",
        "--no-loop",
        "--no-password",
        "--synchronous",  # each piece is written and told at once
    ]
    process = subprocess.Popen(  # noqa: S603  # fixed program, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd="/",
        env=words.environment,
    )
    try:
        _wait_until_it_streams(url, name, process)
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_it_streams(url: str, name: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + STREAMS_WITHIN_SECONDS
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            while connection.execute(_STREAMS, [name]).fetchone() != ("streaming",):
                if process.poll() is not None:
                    raise BackupError("pg_receivewal has ended: the server sends no log")
                if time.monotonic() > deadline:
                    raise BackupError("the server does not begin to send its write-ahead log")
                time.sleep(0.05)
    except psycopg.OperationalError as error:
        raise BackupError(f"the server cannot be asked for its log: {error}") from error


class LogKeeper:
    """Seals the log of one backup, round by round."""

    def __init__(self, store: ObjectStore, keys: BackupKeys, name: str, spool: Path) -> None:
        self._store, self._keys, self._name, self._spool = store, keys, name, spool
        self._key = os.urandom(KEY_BYTES)
        self._segments: dict[str, str] = {}

    def keep(self, now: datetime) -> list[str]:
        """Seal what changed; return its names.

        Args:
            now: read before the round: everything committed then is in the spool, as far as the
                server has sent it.

        Raises:
            BackupError: nothing was received.
        """
        changed = []
        for path in sorted(self._spool.iterdir()):
            found = SEGMENT.fullmatch(path.name)
            if found is None:
                continue
            content = _read(path)
            digest = hashlib.sha256(content).hexdigest()
            if content and self._segments.get(found[1]) != digest:
                place = f"{self._name}/log.{found[1]}"
                self._store.put(place, seal(self._key, place, content))
                self._segments[found[1]] = digest
                changed.append(found[1])
        if not self._segments:
            raise BackupError("the server sent nothing of its write-ahead log yet")
        self._tell(now)
        self._remove_whole()
        return changed

    def _tell(self, now: datetime) -> None:
        wrapping = self._keys.key(DATA)
        key = wrapping.wrap(f"{self._name}/log", self._key)
        document = Log(until=now, key=key, segments=self._segments)
        manifests.write(self._store, self._name, document, FILE, wrapping)

    def _remove_whole(self) -> None:
        """Remove what is sealed and grows no more; the newest whole one marks where to go on."""
        whole = sorted(p for p in self._spool.iterdir() if re.fullmatch(r"[0-9A-F]{24}", p.name))
        for path in whole[:-1]:
            path.unlink()


def read_log(store: ObjectStore, keys: BackupKeys, name: str) -> Log | None:
    """Return the log that was kept after a backup, None if none was."""
    if not store.exists(f"{name}/{FILE}"):
        return None
    return Log.model_validate(manifests.read_document(store, name, FILE, keys))


def lay_log(store: ObjectStore, keys: BackupKeys, name: str, data: Path, log: Log) -> None:
    """Put the segments where PostgreSQL finds them when it recovers.

    Raises:
        DamagedBackupError: one is missing or altered.
    """
    key = keys.key(DATA).unwrap(f"{name}/log", log.key)
    for segment, digest in sorted(log.segments.items()):
        place = f"{name}/log.{segment}"
        content = unseal(key, place, store.get(place))
        # One that was sealed after the list was written reaches further than the list says.
        if hashlib.sha256(content).hexdigest() != digest and segment != max(log.segments):
            raise DamagedBackupError(f"{place} is not the one that was listed")
        (data / "pg_wal" / segment).write_bytes(content)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # it was completed meanwhile, and has its final name
        whole = path.with_suffix("")
        return whole.read_bytes() if whole.exists() else b""
