"""Backups of a real record: what they bring back, and what is wrong with one is named."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from math import inf

import psycopg
import pytest

from cli.backup_check import chains_at_fault
from infra.backup import clusters, create
from infra.backup import manifest as manifests
from infra.backup.create import BackupMaker, keep_newest
from infra.backup.errors import BackupError, DamagedBackupError, NotRestoredError, WrongKeyError
from infra.backup.halting import TRADES_SKIPPED
from infra.backup.keys import BackupKeys
from infra.backup.restore import HISTORIES, Restorer
from infra.backup.stores import DirectoryStore
from infra.backup.verified import age, note_verified
from infra.runtime.secrets import local_secrets
from infra.runtime.state_directory import StateDirectory
from infra.stack.postgres_binaries import embedded_cluster
from tests.infra.backup.conftest import NOW, Installation
from tests.support.lifting import lift_in_record


def restore(installation, name, home, store=None, keys=None):
    restorer = Restorer(store or installation.store, keys or installation.keys, name)
    return restorer.restore(home, datetime.now(UTC), chains_at_fault, lambda _: None)


def rows(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_a_backup_of_what_runs_restores_into_an_empty_place(installation, backup):
    Restorer(installation.store, installation.keys, backup).check(
        installation.settings.backups, chains_at_fault
    )
    assert not list(installation.settings.backups.glob(".backup-check-*"))
    assert not list(installation.settings.home.glob(".backup-staging-*"))


def test_nothing_readable_is_in_a_backup(installation, backup):
    token = local_secrets(installation.state.secrets).administrator_token()
    for path in (installation.settings.backups / backup).iterdir():
        content = path.read_bytes()
        assert token.encode() not in content
        assert b"company" not in content or path.name == "manifest.json"
        assert path.stat().st_mode & 0o077 == 0


def test_what_is_restored_is_stopped_and_nothing_granted_is_worth_anything(
    installation, backup, root
):
    home = root / "restored"
    old = local_secrets(installation.state.secrets).administrator_token()
    before = rows(
        installation.postgres.url("postgres", "aether"),
        "SELECT account_id, next_trade FROM accounts",
    )
    found = restore(installation, backup, home)
    store = local_secrets(StateDirectory(home).secrets)
    assert store.administrator_token() != old
    assert (home / "exchange" / "journal-1.jsonl").read_bytes() == b"a line\nhalf a li"
    histories = sqlite3.connect(home / "temporal" / HISTORIES)
    assert histories.execute("SELECT id FROM executions").fetchall() == [(7,)]
    histories.close()
    assert not StateDirectory(home).temporal_database.exists()
    with clusters.serving(embedded_cluster(home), home / "postgres.log") as url:
        assert chains_at_fault(url) == []
        after = rows(url, "SELECT account_id, next_trade FROM accounts")
        assert after == [(account, number + TRADES_SKIPPED) for account, number in before]
        switches = rows(url, "SELECT number, accounts, lifted_at, after_restore FROM kill_switches")
        assert switches == [
            (found.kill_switch, ["company", "director-1", "director-2"], None, True)
        ]
        told = rows(
            url,
            "SELECT account_id, details->>'backup' FROM audit_log WHERE action = 'restored'"
            " ORDER BY account_id",
        )
        chains = ["company", "director-1", "director-2", "platform"]
        assert told == [(chain, backup) for chain in chains]
        hashed = rows(url, "SELECT token_hash FROM api_tokens WHERE revoked_at IS NULL")
        assert len(hashed) == 1
        is_lifted_only_when_compared(url, found.kill_switch)
    shutil.rmtree(home)


def is_lifted_only_when_compared(url, number):
    lift = f"SELECT request_kill_switch_lift({number}, 'user/one', now(), NULL, 'a', 'over')"
    compared = """INSERT INTO reconciliations (account_id, at, clean, differences, complete)
        SELECT account_id, now(), {clean}, '{differences}', true FROM accounts WHERE {which}"""
    with psycopg.connect(url, autocommit=True) as connection:

        def refused():
            with pytest.raises(psycopg.Error, match="not compared") as error:
                connection.execute(lift)
            return error.value.sqlstate

        assert refused() == "AE005"
        connection.execute(
            compared.format(clean="true", differences="{}", which="account_id <> 'company'")
        )
        assert refused() == "AE005"
        different = compared.format(
            clean="false", differences='{"balances": ["USD"]}', which="account_id = 'company'"
        )
        connection.execute(different)
        assert refused() == "AE005"
        connection.execute(
            compared.format(clean="true", differences="{}", which="account_id = 'company'")
        )
    assert lift_in_record(url, number) == "user/two"


def test_a_restore_replaces_nothing(installation, backup):
    before = sorted(path.name for path in installation.settings.home.iterdir())
    with pytest.raises(NotRestoredError, match="not empty"):
        restore(installation, backup, installation.settings.home)
    assert sorted(path.name for path in installation.settings.home.iterdir()) == before


@pytest.mark.parametrize("part", ["temporal", "record", "exchange", "installation", "secrets"])
@pytest.mark.parametrize("how", ["flipped", "missing", "swapped"])
def test_a_damaged_chunk_of_any_part_is_named_and_nothing_is_restored(
    installation, backup, tmp_path, root, part, how
):
    store = installation.copy_of(backup, tmp_path)
    path = tmp_path / backup / f"{part}.000000"
    if how == "missing":
        path.unlink()
    elif how == "swapped":
        other = "record" if part != "record" else "temporal"
        path.write_bytes((tmp_path / backup / f"{other}.000000").read_bytes())
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    home = root / "never"
    with pytest.raises(DamagedBackupError, match=f"{part}.000000"):
        Restorer(store, installation.keys, backup).check(root, chains_at_fault)
    with pytest.raises(DamagedBackupError, match=f"{part}.000000"):
        restore(installation, backup, home, store)
    assert not home.exists()
    assert not list(root.glob("never.restoring-*"))


@pytest.mark.parametrize("field", ["ended_at", "parts", "heads", "revision"])
def test_an_altered_manifest_is_named(installation, backup, tmp_path, field):
    store = installation.copy_of(backup, tmp_path)
    path = tmp_path / backup / manifests.FILE
    document = json.loads(path.read_bytes())
    value = document["body"][field]
    document["body"][field] = {} if isinstance(value, dict) else "2020-01-01T00:00:00Z"
    path.write_text(json.dumps(document))
    with pytest.raises(DamagedBackupError, match=r"manifest\.json was altered"):
        Restorer(store, installation.keys, backup)


def test_a_wrong_key_is_named_as_such(installation, backup, tmp_path, root):
    keys = BackupKeys(tmp_path / "data")
    keys.create()
    with pytest.raises(WrongKeyError, match="made with another key"):
        Restorer(installation.store, keys, backup)
    own = installation.settings.backup_key_directory
    shutil.copy(own / "data.key", tmp_path / "data" / "data.key")
    with pytest.raises(WrongKeyError, match=r"secrets\.key"):
        restore(installation, backup, root / "never", keys=keys)
    assert not (root / "never").exists()


def test_who_verifies_needs_no_key_of_the_secrets(installation, backup, tmp_path, root):
    keys = tmp_path / "keys"
    keys.mkdir()
    shutil.copy(installation.settings.backup_key_directory / "data.key", keys)
    Restorer(installation.store, BackupKeys(keys), backup).check(root, chains_at_fault)
    with pytest.raises(BackupError, match=r"secrets\.key is missing"):
        restore(installation, backup, root / "never", keys=BackupKeys(keys))


@pytest.mark.parametrize("step", [0, 1, 2, 3, 4, 5])
def test_what_was_killed_in_the_middle_is_no_backup(installation, tmp_path, step):
    class Killed(BaseException):
        pass

    class Store(DirectoryStore):
        left = step

        def put(self, name, content):
            if not self.left:
                raise Killed
            type(self).left -= name.endswith(("000000", "manifest.json"))
            super().put(name, content)

    store = Store(tmp_path)
    maker = BackupMaker(installation.settings, store, installation.keys, NOW)
    with pytest.raises(Killed):
        maker.make(lambda _: None)
    assert not store.exists(f"{maker.name}/{manifests.FILE}")
    with pytest.raises(DamagedBackupError, match=r"manifest\.json is missing"):
        Restorer(store, installation.keys, maker.name)


def test_what_a_killed_backup_left_unencrypted_goes_with_the_next(installation):
    left = installation.settings.home / ".backup-staging-old"
    left.mkdir()
    (left / "record").write_text("plain")
    installation.back_up()
    assert not left.exists()


def test_temporal_is_taken_before_the_record_and_the_exchange_after_it(installation, monkeypatch):
    order = []

    def noting(module, name):
        real = getattr(module, name)

        def noted(*words):
            order.append(name)
            return real(*words)

        monkeypatch.setattr(module, name, noted)

    noting(create.copies, "copy_sqlite")
    noting(create.clusters, "base_backup")
    noting(create.copies, "copy_exchange")
    installation.back_up()
    assert order == ["copy_sqlite", "base_backup", "copy_exchange"]


def test_the_newest_verified_one_stays_whatever_is_kept(installation, root):
    store = DirectoryStore(root / "kept")
    names = []
    for day in range(5):
        maker = BackupMaker(
            installation.settings, store, installation.keys, NOW + timedelta(days=day)
        )
        names.append(maker.make(lambda _: None).name)
    verified = manifests.Verified(name=names[1], at=NOW, seconds=1)
    manifests.write(
        store, names[1], verified, manifests.VERIFIED_FILE, installation.keys.key("data")
    )
    store.put("20260101T000000Z-abcdef/record.000000", b"never finished")
    gone = keep_newest(store, installation.keys, 2)
    assert gone == ["20260101T000000Z-abcdef", names[0], names[2]]
    assert list(store.backups()) == [names[1], *names[3:]]


def test_a_journal_that_comes_meanwhile_makes_the_copy_anew(tmp_path, monkeypatch):
    source, target = tmp_path / "exchange", tmp_path / "copy"
    source.mkdir()
    (source / "snapshot-1.json").write_bytes(b"1")
    (source / "journal-1.jsonl").write_bytes(b"one\n")
    real, times = shutil.copytree, []

    def copytree(*words, **options):
        done = real(*words, **options)
        if not times:
            with (source / "journal-1.jsonl").open("ab") as journal:
                journal.write(b"two\n")
            (source / "journal-2.jsonl").write_bytes(b"three\n")
        times.append(1)
        return done

    monkeypatch.setattr(create.copies.shutil, "copytree", copytree)
    create.copies.copy_exchange(source, target)
    assert len(times) == 2
    assert (target / "journal-1.jsonl").read_bytes() == b"one\ntwo\n"
    assert (target / "journal-2.jsonl").exists()


def test_the_age_of_the_newest_verified_backup_is_told(tmp_path):
    run = StateDirectory(tmp_path).run
    run.mkdir()
    assert age(tmp_path, NOW) == inf
    note_verified(tmp_path, "one", NOW, NOW)
    assert age(tmp_path, NOW + timedelta(hours=27)) == 27 * 3600
    note_verified(tmp_path, "older", NOW - timedelta(days=1), NOW)
    assert age(tmp_path, NOW) == 0
    (run / "backup-verified.json").write_text("damaged")
    assert age(tmp_path, NOW) == inf


def test_a_record_at_rest_is_compared_row_by_row(root):
    own = Installation(root / "resting")
    own.settings.home.parent.mkdir(mode=0o711)
    try:
        own.set_up()
    finally:
        own.postgres.stop()
    name = own.back_up()
    restorer = Restorer(own.store, own.keys, name)
    assert restorer.manifest.books["accounts"][0] == 3
    restorer.check(own.settings.backups, chains_at_fault)
    books = restorer.manifest.books
    restorer.manifest.books = books | {"accounts": (4, books["accounts"][1])}
    with pytest.raises(NotRestoredError, match="differs in accounts"):
        restorer.check(own.settings.backups, chains_at_fault)
