"""An installation whose record is real, with a Temporal file and the state of a simulator."""

import json
import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.backup.create import BackupMaker
from infra.backup.keys import BackupKeys
from infra.backup.stores import DirectoryStore
from infra.runtime.secrets import local_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import Manifest, StateDirectory
from infra.stack.prepared import MARK, note_prepared
from tests.support.postgres import PostgresServer
from workers.preparation import prepare

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class Installation:
    """A state directory with its backups beside it."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(home=root / "home", market="generated", speed="10")
        self.state = StateDirectory(self.settings.home)
        self.store = DirectoryStore(self.settings.backups)
        self.keys = BackupKeys(self.settings.backup_key_directory)
        self.postgres = PostgresServer(self.settings.home)

    def set_up(self) -> None:
        self.state.create()
        local_secrets(self.state.secrets).create()
        self.state.save_manifest(
            Manifest(
                market="generated", speed="10", port_base=7400, postgres_major=18, created_at=NOW
            )
        )
        self.state.exchange_accounts.write_text("[]")
        (self.state.exchange / "snapshot-1.json").write_bytes(b"a snapshot")
        (self.state.exchange / "journal-1.jsonl").write_bytes(b"a line\nhalf a li")
        histories = sqlite3.connect(self.state.temporal_database)
        histories.execute("PRAGMA journal_mode = WAL")
        histories.execute("CREATE TABLE executions (id integer)")
        histories.execute("INSERT INTO executions VALUES (7)")
        histories.commit()
        histories.close()
        self.postgres.start()
        prepare(self.settings)
        note_prepared(self.postgres.cluster)
        # As versions did that closed it to the server's own user.
        (self.postgres.cluster.data / MARK).chmod(0o600)

    def back_up(self, now: datetime = NOW) -> str:
        return BackupMaker(self.settings, self.store, self.keys, now).make(lambda _: None).name

    def chunks(self, name: str) -> list[Path]:
        return sorted((self.settings.backups / name).glob("*.0*"))

    def copy_of(self, name: str, target: Path) -> DirectoryStore:
        """Copy one backup so that it can be damaged."""
        shutil.copytree(self.settings.backups / name, target / name)
        return DirectoryStore(target)


@pytest.fixture(scope="module")
def root():
    # Where tests run as root PostgreSQL is another user, who has to get there.
    with tempfile.TemporaryDirectory(prefix="aether-backup-", dir="/tmp") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture(scope="module")
def installation(root):
    made = Installation(root)
    try:
        made.set_up()
        yield made
    finally:
        made.postgres.stop()


@pytest.fixture(scope="module")
def backup(installation):
    """A backup that was made while the record was served."""
    return installation.back_up()


def manifest_document(installation: Installation, name: str) -> dict:
    return json.loads((installation.settings.backups / name / "manifest.json").read_bytes())
