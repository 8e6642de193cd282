"""Both places for backups keep the same promises: a directory, and a bucket that checks keys."""

import pytest

from infra.backup.create import BackupMaker, keep_newest
from infra.backup.destination import store_of
from infra.backup.errors import BackupError, DamagedBackupError
from infra.backup.manifest import FILE
from infra.backup.restore import Restorer
from infra.backup.s3 import S3Store
from infra.backup.sealing import chunk_name
from infra.backup.stores import DirectoryStore
from infra.runtime.settings import Settings
from tests.infra.backup.conftest import NOW
from tests.support.s3 import s3_server


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    with s3_server(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture(params=["directory", "s3"])
def store(request, tmp_path):
    if request.param == "directory":
        return DirectoryStore(tmp_path / "backups")
    bucket = request.getfixturevalue("bucket")
    address = f"s3://backups/{tmp_path.name}"
    return S3Store(address, bucket.endpoint, bucket.credentials)


def test_objects_come_back_whole_and_are_replaced_whole(store):
    assert list(store.backups()) == []
    assert not store.exists("b1/part.0")
    with pytest.raises(DamagedBackupError, match=r"b1/part\.0"):
        store.get("b1/part.0")
    store.put("b1/part.0", b"\0one" * 100_000)
    assert store.get("b1/part.0") == b"\0one" * 100_000
    store.put("b1/part.0", b"")
    assert store.exists("b1/part.0")
    assert store.get("b1/part.0") == b""


def test_backups_are_listed_oldest_first_and_go_with_their_manifest_first(store):
    for name in ("20260102T", "20260101T", "20260103T"):
        for piece in ("a.0", "z.0", FILE):
            store.put(f"{name}/{piece}", b"x")
    assert list(store.backups()) == ["20260101T", "20260102T", "20260103T"]
    store.remove("20260102T", FILE)
    assert list(store.backups()) == ["20260101T", "20260103T"]
    assert not store.exists("20260102T/a.0")
    assert store.exists("20260101T/a.0")


def test_a_wrong_key_and_a_server_that_is_not_there_are_no_missing_objects(bucket, tmp_path):
    wrong = tmp_path / "wrong"
    text = bucket.credentials.read_text()
    wrong.write_text(text.replace("aws_secret_access_key = ", "aws_secret_access_key = x"))
    store = S3Store(bucket.address, bucket.endpoint, wrong)
    for call in (
        lambda: store.exists("b/x"),
        lambda: store.put("b/x", b"x"),
        lambda: list(store.backups()),
    ):
        with pytest.raises(BackupError) as refused:
            call()
        assert not isinstance(refused.value, DamagedBackupError)
    nobody = S3Store(bucket.address, "http://127.0.0.1:9", bucket.credentials)
    with pytest.raises(BackupError, match="does not answer"):
        nobody.get("b/x")


def test_a_backup_in_a_bucket_is_verified_and_restored_and_holds_no_plain_text(
    installation, bucket, tmp_path, root
):
    changed = {
        "backup_s3": bucket.address,
        "backup_s3_endpoint": bucket.endpoint,
        "backup_s3_credentials": bucket.credentials,
    }
    settings = installation.settings.model_copy(update=changed)
    store = store_of(settings)
    assert isinstance(store, S3Store)
    made = BackupMaker(settings, store, installation.keys, NOW).make(lambda _: None)
    restorer = Restorer(store, installation.keys, made.name)
    restorer.check(root, lambda _url: [])
    assert list(store.backups()) == [made.name]
    restored = Restorer(store, installation.keys, made.name).restore(
        root / "from-s3", NOW, lambda _url: [], lambda _: None
    )
    assert restored.manifest.name == made.name
    name = next(iter(made.parts))
    assert b"SQLite format" not in store.get(chunk_name(made.name, name, 0))
    later = BackupMaker(settings, store, installation.keys, NOW.replace(day=5)).make(lambda _: None)
    assert keep_newest(store, installation.keys, 1) == [made.name]
    assert list(store.backups()) == [later.name]


@pytest.mark.parametrize(
    "wrong",
    [
        {"backup_s3": "bucket"},
        {"backup_s3_endpoint": "http://s3.example"},
        {"backup_schedule": "daily"},
        {"events_url": "nats://broker.example:4222"},
        {"events_url": "tls://me:secret@broker.example:4222"},
    ],
)
def test_places_that_anybody_could_read_along_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
