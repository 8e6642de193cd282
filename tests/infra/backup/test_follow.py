"""What is committed after a base backup comes back with the log that was kept since."""

import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from cli.commands.platform.backup import chains_at_fault
from infra.backup.create import replication_url
from infra.backup.errors import BackupError, DamagedBackupError
from infra.backup.follow import LogKeeper, receiving
from infra.backup.restore import Restorer
from infra.stack.postgres_binaries import binary_directory

NOTE = "INSERT INTO platform_settings (name, value) VALUES (%s, 'kept')"


@pytest.fixture(scope="module")
def followed(installation, root):
    """A backup whose log was kept for a while: over two segments, and a commit at the very end."""
    url, spool = replication_url(installation.settings), root / "spool"
    with receiving(url, spool):
        name = installation.back_up()
        keeper = LogKeeper(installation.store, installation.keys, name, spool)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(NOTE, ["first"])
            connection.execute("SELECT pg_switch_wal()")
            connection.execute(NOTE, ["second"])
            end = connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()[0]
            until = time.monotonic() + 30
            received = "SELECT bool_or(flush_lsn >= %s) FROM pg_stat_replication"
            while not connection.execute(received, [end]).fetchone()[0]:
                assert time.monotonic() < until, "never received"
                time.sleep(0.05)
        now = datetime.now(UTC)
        assert len(keeper.keep(now)) >= 2
        assert keeper.keep(now) == []
    return name, now


def test_what_was_committed_after_the_base_backup_is_restored(installation, root, followed):
    name, until = followed
    seen = []

    def look(url):
        with psycopg.connect(url) as connection:
            query = "SELECT name FROM platform_settings WHERE value = 'kept' ORDER BY name"
            seen.extend(row[0] for row in connection.execute(query))
        return chains_at_fault(url)

    restorer = Restorer(installation.store, installation.keys, name)
    restorer.check(root, look)
    assert seen == ["first", "second"]
    assert restorer.known_until == until
    assert until - restorer.manifest.ended_at > timedelta(0)


@pytest.mark.parametrize("how", ["missing", "altered"])
def test_a_damaged_segment_is_named(installation, root, followed, tmp_path, how):
    name, _ = followed
    store = installation.copy_of(name, tmp_path)
    path = min((tmp_path / name).glob("log.0*"))
    if how == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[1000] ^= 1
        path.write_bytes(content)
    with pytest.raises(DamagedBackupError, match=path.name):
        Restorer(store, installation.keys, name).check(root, chains_at_fault)


def test_the_log_streams_before_anything_may_make_a_checkpoint(installation, tmp_path, monkeypatch):
    url = replication_url(installation.settings)
    slow = tmp_path / "pg_receivewal"
    slow.write_text(f'#!/bin/sh\nsleep 1\nexec {binary_directory() / "pg_receivewal"} "$@"\n')
    slow.chmod(0o700)
    monkeypatch.setattr("infra.backup.follow.binary_directory", lambda: tmp_path)
    with receiving(url, tmp_path / "spool"), psycopg.connect(url) as connection:
        states = connection.execute("SELECT state FROM pg_stat_replication").fetchall()
    assert ("streaming",) in states


def test_a_server_that_is_away_is_told_as_a_fault_of_the_backup(tmp_path):
    nowhere = f"postgresql://nobody@/postgres?host={tmp_path}"
    with pytest.raises(BackupError), receiving(nowhere, tmp_path / "spool"):
        raise AssertionError("it was not noticed")
