"""Bringing a backup back: unpacked beside its place, checked, halted, and only then put there."""

import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

from infra.backup import clusters
from infra.backup import manifest as manifests
from infra.backup.create import (
    EXCHANGE,
    INSTALLATION,
    OPTIONAL,
    RECORD,
    SECRETS_PART,
    TEMPORAL,
    Progress,
)
from infra.backup.errors import DamagedBackupError, NotRestoredError
from infra.backup.follow import lay_log, read_log
from infra.backup.halting import halt_restored
from infra.backup.keys import BackupKeys
from infra.backup.manifest import Manifest
from infra.backup.sealing import ChunkReader, chunk_name
from infra.backup.server_manifest import check_files
from infra.backup.stores import ObjectStore
from infra.runtime.secrets import InstallationSecrets, installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack.postgres_binaries import Cluster, embedded_cluster, prepare

HISTORIES = "histories-before-restore.sqlite"
"""Temporal's state of the backup: kept to be read, not gone on with."""

CHECKED = ".backup-check-"

LookAtRecord = Callable[[str], list[str]]
"""Takes the address of a restored record and returns what is wrong with it."""

LookAtHistories = Callable[[Path, datetime], list[str]]
"""Takes a restored state directory and when it was taken; returns which histories are at fault."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought back, and until when nothing is known of what happened."""

    manifest: Manifest
    known_until: datetime
    kill_switch: int


class Restorer:
    """Reads one backup; what it writes is as good as the backup, or is not there."""

    def __init__(self, store: ObjectStore, keys: BackupKeys, name: str) -> None:
        self._store, self._keys = store, keys
        self.manifest = manifests.read_manifest(store, name, keys)
        self.log = read_log(store, keys, name)

    @property
    def known_until(self) -> datetime:
        """Return the moment after which nothing of the record is in the backup."""
        return self.log.until if self.log is not None else self.manifest.ended_at

    @property
    def opens_secrets(self) -> bool:
        """Tell whether the key is here that opens the backup's secrets."""
        return self._keys.has(self.manifest.parts[SECRETS_PART].wrapped_by)

    def check(
        self, parent: Path, look: LookAtRecord, histories: LookAtHistories | None = None
    ) -> None:
        """Restore it into an empty place, look at it, and remove it.

        Args:
            parent: where the empty place is made.
            look: at the record.
            histories: at Temporal's state; the secrets that open its payloads are unpacked then.

        Raises:
            PlatformError: names what is missing, altered or different.
        """
        for left in parent.glob(f"{CHECKED}*"):  # of a check that was killed
            shutil.rmtree(left, ignore_errors=True)
        place = Path(mkdtemp(prefix=CHECKED, dir=parent))
        try:
            for part in (TEMPORAL, INSTALLATION):
                if part in self.manifest.parts:
                    self._unpack(part, place / part)
            for part in (EXCHANGE, SECRETS_PART, *self._beside()):
                self._read_through(part)
            cluster = self._unpack_record(place)
            with clusters.serving(cluster, place / "postgres.log") as url:
                self._compare(url, look)
            if histories is not None and TEMPORAL in self.manifest.parts and self.opens_secrets:
                self._unpack(SECRETS_PART, place / SECRETS_PART)
                self._refuse(histories(place, self.manifest.began_at))
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def restore(self, home: Path, now: datetime, look: LookAtRecord, tell: Progress) -> Restored:
        """Bring an installation back to where nothing is, halted.

        Raises:
            PlatformError: something is there, or the backup is not what it says.
        """
        if home.exists() and any(home.iterdir()):
            raise NotRestoredError(
                f"{home} is not empty: a restore replaces nothing. Move it away: aether admin reset"
            )
        home.parent.mkdir(parents=True, exist_ok=True)
        place = Path(mkdtemp(prefix=f"{home.name}.restoring-", dir=home.parent))
        try:
            restored = self._restore(StateDirectory(place), now, look, tell)
            if home.exists():
                home.rmdir()
            place.rename(home)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return restored

    def _restore(
        self, state: StateDirectory, now: datetime, look: LookAtRecord, tell: Progress
    ) -> Restored:
        tell("Secrets, settings and the simulator's state …")
        self._unpack(SECRETS_PART, state.secrets)
        self._unpack(EXCHANGE, state.exchange)
        for part in self._beside():
            self._unpack(part, state.home / OPTIONAL[part])
        self._unpack(INSTALLATION, state.home)
        if TEMPORAL in self.manifest.parts:
            self._unpack(TEMPORAL, state.temporal_database.parent)
            state.temporal_database.rename(state.temporal_database.with_name(HISTORIES))
        tell("The record …")
        cluster = self._unpack_record(state.home)
        token = _secrets_at(state).replace_administrator_token()
        log = state.home / "restore.log"
        with clusters.serving(cluster, log) as url:
            self._compare(url, look)
            number = halt_restored(url, self.manifest.name, self.known_until, token, now)
        return Restored(self.manifest, self.known_until, number)

    def _unpack_record(self, home: Path) -> Cluster:
        cluster = embedded_cluster(home)
        self._unpack(RECORD, cluster.data)
        check_files(cluster.data)
        if self.log is not None:
            lay_log(self._store, self._keys, self.manifest.name, cluster.data, self.log)
        if cluster.system_user is not None:
            for path in (cluster.data.parent, cluster.data, *cluster.data.rglob("*")):
                shutil.chown(path, cluster.system_user, cluster.system_user)
        prepare(cluster)
        return cluster

    def _compare(self, url: str, look: LookAtRecord) -> None:
        name = self.manifest.name
        if lost := clusters.lost_heads(url, self.manifest.heads):
            raise NotRestoredError(
                f"backup {name}: the audit of {', '.join(lost)} does not hold what it held"
            )
        if self.manifest.books:
            found = clusters.books(url)
            different = sorted(
                table
                for table in found.keys() | self.manifest.books.keys()
                if found.get(table) != self.manifest.books.get(table)
            )
            if different:
                raise NotRestoredError(f"backup {name}: differs in {', '.join(different)}")
        self._refuse(look(url))

    def _refuse(self, faults: list[str]) -> None:
        if faults:
            raise NotRestoredError(f"backup {self.manifest.name}: {'; '.join(faults)}")

    def _beside(self) -> list[str]:
        """Return the parts that only some installations have."""
        return [part for part in OPTIONAL if part in self.manifest.parts]

    def _reader(self, part: str) -> ChunkReader:
        name = self.manifest.name
        found = self.manifest.parts[part]
        wrapping = self._keys.matching(found.wrapped_by, found.fingerprint, name)
        key = wrapping.unwrap(f"{name}/{part}", found.key)
        return ChunkReader(self._store, name, part, key, found.chunks)

    def _read_through(self, part: str) -> None:
        if not self._keys.has(self.manifest.parts[part].wrapped_by):
            for number in range(self.manifest.parts[part].chunks):
                self._store.get(chunk_name(self.manifest.name, part, number))
            return
        reader, size = self._reader(part), 0
        while content := reader.read(2**20):
            size += len(content)
        self._require_size(part, size)

    def _unpack(self, part: str, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        reader = self._reader(part)
        try:
            with tarfile.open(fileobj=reader, mode="r|") as archive:
                archive.extractall(target, filter="data")
            while reader.read(2**20):
                pass
        except tarfile.TarError as error:
            raise DamagedBackupError(f"{self.manifest.name}/{part}: {error}") from None
        target.chmod(0o700)

    def _require_size(self, part: str, size: int) -> None:
        if size != self.manifest.parts[part].size:
            raise DamagedBackupError(f"{self.manifest.name}/{part} has {size} bytes")


def _secrets_at(state: StateDirectory) -> InstallationSecrets:
    """Return the secrets of what is being restored: its own file, or the store of the settings."""
    return installation_secrets(Settings().model_copy(update={"home": state.home}))
