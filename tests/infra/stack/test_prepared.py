"""The mark of a prepared database: it goes with the database and with the program's version."""

from pathlib import Path

import pytest

from infra.stack import prepared
from infra.stack.postgres_binaries import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(data=tmp_path, sockets=tmp_path, system_user=None)


def test_database_is_prepared_from_its_mark_on(cluster: Cluster) -> None:
    assert not prepared.is_prepared(cluster)
    prepared.note_prepared(cluster)
    assert prepared.is_prepared(cluster)


def test_database_made_anew_is_not_prepared(cluster: Cluster, tmp_path: Path) -> None:
    prepared.note_prepared(cluster)
    other = Cluster(data=tmp_path / "restored", sockets=tmp_path, system_user=None)
    assert not prepared.is_prepared(other)


def test_other_version_of_the_program_prepares_again(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared.note_prepared(cluster)
    migration = tmp_path / "0002_more.py"
    migration.write_text("revision = '0002'")
    monkeypatch.setattr(prepared, "SOURCES", (*prepared.SOURCES, migration))
    assert not prepared.is_prepared(cluster)


def test_what_the_mark_stands_for_is_there() -> None:
    assert all(source.exists() for source in prepared.SOURCES)
