"""Making a backup: Temporal's state first, then the record, then what the exchange holds.

In that order the record is never older than the decisions, nor the exchange than the record: what
is missing between two of them is what each platform recovers from anyway, by asking.
"""

import os
import secrets
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from infra.backup import clusters, copies
from infra.backup import manifest as manifests
from infra.backup.errors import BackupError
from infra.backup.keys import DATA, SECRETS, BackupKeys
from infra.backup.manifest import Manifest, Part
from infra.backup.sealing import KEY_BYTES, ChunkWriter
from infra.backup.stores import ObjectStore
from infra.runtime.errors import ConfigurationError, StateError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack.postgres_binaries import embedded_cluster
from infra.stack.prepared import MARK

TEMPORAL, RECORD, EXCHANGE, INSTALLATION = "temporal", "record", "exchange", "installation"
SECRETS_PART = "secrets"
OPTIONAL = {"artifacts": "mlflow"}
"""Parts that only some installations have, with their directory in the state: models, as MLflow
stores them. What refers to them is in the record, so they are taken after it."""
STAGING = ".backup-staging-"
Progress = Callable[[str], None]


class BackupMaker:
    """Makes one backup of an installation, running or not."""

    def __init__(
        self, settings: Settings, store: ObjectStore, keys: BackupKeys, now: datetime
    ) -> None:
        self._settings = settings
        self._state = StateDirectory(settings.home)
        self._store, self._keys = store, keys
        self.name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self._parts: dict[str, Part] = {}
        self._left_out: dict[str, str] = {}

    def make(self, tell: Progress) -> Manifest:
        """Make it, and return its manifest, which is written when everything else is there.

        Raises:
            PlatformError: names what stands in the way; what was written counts as no backup.
        """
        if self._state.manifest() is None:
            raise StateError(f"there is nothing to back up in {self._state.home}")
        for path in self._keys.create():
            tell(f"Made the backup key {path}: without a copy elsewhere a backup opens nothing")
        remove_staging(self._state.home)
        staging = Path(mkdtemp(prefix=STAGING, dir=self._state.home))
        try:
            return self._make(staging, tell)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _make(self, staging: Path, tell: Progress) -> Manifest:
        began = datetime.now(UTC)
        self._take_temporal(staging / TEMPORAL, tell)
        with self._database(staging) as (url, quiet):
            heads, revision = clusters.heads(url), clusters.revision(url)
            tell("The record: base backup with its write-ahead log …")
            clusters.base_backup(url, staging / RECORD)
            ended = datetime.now(UTC)
            books = clusters.books(url) if quiet else {}
        self._seal(staging / RECORD, RECORD, DATA)
        copies.copy_exchange(self._state.exchange, staging / EXCHANGE)
        self._seal(staging / EXCHANGE, EXCHANGE, SECRETS)
        (staging / INSTALLATION).mkdir()
        shutil.copy2(self._state.manifest_file, staging / INSTALLATION)
        self._seal(staging / INSTALLATION, INSTALLATION, DATA)
        self._seal(self._state.secrets, SECRETS_PART, SECRETS)
        for part, directory in OPTIONAL.items():
            if (self._state.home / directory).is_dir():
                self._seal(self._state.home / directory, part, DATA)
        found = Manifest(
            name=self.name,
            began_at=began,
            ended_at=ended,
            revision=revision,
            parts=self._parts,
            left_out=self._left_out,
            heads=heads,
            books=books,
        )
        manifests.write(self._store, self.name, found, manifests.FILE, self._keys.key(DATA))
        return found

    def _take_temporal(self, target: Path, tell: Progress) -> None:
        if self._settings.temporal_address is not None:
            self._left_out[TEMPORAL] = "its server is not the embedded one: back its database up"
            return
        if not self._state.temporal_database.exists():
            self._left_out[TEMPORAL] = "it never ran"
            return
        tell("Temporal's histories …")
        target.mkdir()
        copies.copy_sqlite(
            self._state.temporal_database, target / self._state.temporal_database.name
        )
        self._seal(target, TEMPORAL, DATA)

    @contextmanager
    def _database(self, staging: Path) -> Iterator[tuple[str, bool]]:
        """Lend the record; started for the purpose where nothing runs, and quiet then."""
        if self._settings.database_url is not None:
            yield replication_url(self._settings), False
            return
        cluster = embedded_cluster(self._state.home)
        if not cluster.is_initialised:
            raise StateError(f"there is no database in {cluster.data}")
        if (mark := cluster.data / MARK).exists():
            mark.chmod(0o644)  # of a version that had closed it to the server's user
        if clusters.is_answering(cluster.url()):
            yield cluster.url(database=clusters.DATABASE), False
            return
        with clusters.serving(cluster, staging / "postgres.log") as url:
            yield url, True

    def _seal(self, directory: Path, part: str, wrapped_by: str) -> None:
        key, wrapping = os.urandom(KEY_BYTES), self._keys.key(wrapped_by)
        writer = ChunkWriter(self._store, self.name, part, key)
        with tarfile.open(fileobj=writer, mode="w|") as archive:
            archive.add(directory, arcname=".", filter=_without_owner)
        writer.close()
        self._parts[part] = Part(
            chunks=writer.chunks,
            size=writer.size,
            key=wrapping.wrap(f"{self.name}/{part}", key),
            wrapped_by=wrapped_by,
            fingerprint=wrapping.fingerprint,
        )


def replication_url(settings: Settings) -> str:
    """Return the record's address as a role that may replicate and read every row.

    Raises:
        ConfigurationError: it is not the embedded one, and there is no such role.
    """
    if settings.database_url is None:
        return embedded_cluster(settings.home).url(database=clusters.DATABASE)
    if settings.backup_database_url is None:
        raise ConfigurationError(
            "AETHER_BACKUP_DATABASE_URL: a PostgreSQL that is not the embedded one is copied by a "
            "role of its own, which may replicate and read every row"
        )
    return settings.backup_database_url


def keep_newest(store: ObjectStore, keys: BackupKeys, keep: int) -> list[str]:
    """Remove the oldest backups beyond so many; the newest verified one always stays.

    What has no manifest and is older than the newest backup was never finished: it goes too. One
    that does not open with the keys at hand belongs to somebody else and stays.

    Returns:
        the names of those removed.
    """
    if keep < 1:
        raise BackupError("at least one backup is kept")
    names = list(store.backups())
    whole = [name for name in names if store.exists(f"{name}/{manifests.FILE}")]
    verified = [name for name in whole if store.exists(f"{name}/{manifests.VERIFIED_FILE}")]
    stay = {*whole[-keep:], *verified[-1:]}
    newest = whole[-1] if whole else ""
    gone: list[str] = []
    for name in names:
        if name in stay or name > newest:
            continue
        if name in whole and not _is_ours(store, name, keys):
            continue
        store.remove(name, manifests.FILE)
        gone.append(name)
    return gone


def remove_staging(home: Path) -> None:
    """Remove what a backup that was killed has left in the state directory: it is not encrypted."""
    for left in home.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)


def _is_ours(store: ObjectStore, name: str, keys: BackupKeys) -> bool:
    try:
        manifests.read_manifest(store, name, keys)
    except BackupError:
        return False
    return True


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isfile() or member.isdir()):
        return None  # sockets and locks of what runs
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
