"""A base backup that lost, gained or changed a file is told from an intact one."""

import json

import pytest

from infra.backup import clusters
from infra.backup.errors import NotRestoredError
from infra.backup.server_manifest import check_files

SEGMENT = 16 * 2**20


@pytest.fixture
def base(postgres, tmp_path):
    copy = tmp_path / "copy"
    clusters.base_backup(postgres.cluster.url(), copy)
    return copy


def flipped(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_each_kind_of_damage_is_named(base):
    check_files(base)
    for name, damage in {
        "global/pg_control": lambda p: flipped(p, 10),
        "PG_VERSION": lambda p: p.unlink(),
        "base/added": lambda p: p.write_text("more"),
        "backup_manifest": lambda p: flipped(p, 40),
    }.items():
        path = base / name
        before = path.read_bytes() if path.exists() else None
        damage(path)
        with pytest.raises(NotRestoredError, match=path.name):
            check_files(base)
        path.unlink(missing_ok=True) if before is None else path.write_bytes(before)
    check_files(base)


def test_a_damaged_write_ahead_log_is_named(base):
    part = json.loads((base / "backup_manifest").read_text())["WAL-Ranges"][0]
    high, low = (int(half, 16) for half in part["Start-LSN"].split("/"))
    # The first record that is read: where it lies in its segment, past its length.
    segment, at = divmod(low, SEGMENT)
    log = base / "pg_wal" / f"{part['Timeline']:08X}{high:08X}{segment:08X}"
    flipped(log, at + 4)
    with pytest.raises(NotRestoredError, match="write-ahead log"):
        check_files(base)
