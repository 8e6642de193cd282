"""Finding, initialising and starting the wheel's PostgreSQL."""

import os
import pwd
from pathlib import Path

import pytest

from infra.runtime.database.connections import Role, database_url
from infra.runtime.settings import Settings
from infra.runtime.telemetry import degraded_modes
from infra.stack import postgres_binaries
from infra.stack.postgres_binaries import PostgresBinariesError


def test_foreign_content_is_refused_and_left_alone(tmp_path):
    cluster = postgres_binaries.embedded_cluster(tmp_path)
    cluster.data.mkdir(parents=True)
    (cluster.data / "letter.txt").write_text("mine")
    with pytest.raises(PostgresBinariesError, match="foreign"):
        postgres_binaries.prepare(cluster)
    assert (cluster.data / "letter.txt").read_text() == "mine"


def test_cluster_of_another_version_is_refused(tmp_path):
    cluster = postgres_binaries.embedded_cluster(tmp_path)
    (cluster.data / "global").mkdir(parents=True)
    (cluster.data / "global" / "pg_control").touch()
    (cluster.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresBinariesError, match="PostgreSQL 12"):
        postgres_binaries.prepare(cluster)


def test_socket_of_a_deep_directory_gets_a_short_path(tmp_path):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    sockets = postgres_binaries.socket_directory(deep / "postgres" / "data")
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) < postgres_binaries.SOCKET_PATH_MAXIMUM
    assert sockets != postgres_binaries.socket_directory(deep / "other" / "data")


def test_address_names_the_role_and_keeps_no_other_roles_password(tmp_path):
    embedded = database_url(Settings(home=tmp_path), Role.APP)
    assert embedded.startswith("postgresql://aether_app@/aether?host=")
    settings = Settings(database_url="postgresql://aether_app:word@db:5433/live?sslmode=require")
    own = database_url(settings, Role.APP)
    assert own == "postgresql://aether_app:word@db:5433/live?sslmode=require"
    other = database_url(settings, Role.MARKET)
    assert other == "postgresql://aether_market@db:5433/live?sslmode=require"


def in_a_deep_directory(tmp_path: Path) -> postgres_binaries.Cluster:
    """Describe a cluster whose socket has its directory under /tmp."""
    cluster = postgres_binaries.embedded_cluster(tmp_path / ("deep" * 20) / ("deeper" * 10))
    assert not cluster.sockets.exists()
    return cluster


def test_socket_directory_that_is_a_link_is_refused(tmp_path):
    cluster = in_a_deep_directory(tmp_path)
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    cluster.sockets.symlink_to(target)
    try:
        with pytest.raises(PostgresBinariesError, match="is a link"):
            postgres_binaries.prepare(cluster)
        assert (target.stat().st_uid, target.stat().st_mode & 0o777) == (os.geteuid(), 0o755)
    finally:
        cluster.sockets.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes directories for others")
def test_socket_directory_of_another_user_is_refused(tmp_path):
    cluster = in_a_deep_directory(tmp_path)
    cluster.sockets.mkdir()
    os.chown(cluster.sockets, 12345, 12345)
    try:
        with pytest.raises(PostgresBinariesError, match="belongs to another user"):
            postgres_binaries.prepare(cluster)
        assert cluster.sockets.stat().st_uid == 12345
    finally:
        cluster.sockets.rmdir()


@pytest.fixture
def as_root(monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_user_that_others_share_is_named_as_a_degraded_mode(tmp_path, monkeypatch, as_root):
    settings = Settings(home=tmp_path)
    monkeypatch.setattr(postgres_binaries, "DEDICATED_USERS", ("no-such-user",))
    cluster = postgres_binaries.embedded_cluster(tmp_path)
    assert cluster.system_user == "nobody"
    words = postgres_binaries.shared_user(cluster)
    assert words in degraded_modes(settings, hypertables=True)
    own = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(postgres_binaries, "DEDICATED_USERS", ("no-such-user", own))
    assert postgres_binaries.embedded_cluster(tmp_path).system_user == own
    assert not any("share" in form for form in degraded_modes(settings, hypertables=True))


def test_user_is_made_for_the_database_alone(tmp_path, monkeypatch, as_root):
    commands: list[list[str]] = []
    monkeypatch.setattr(postgres_binaries, "DEDICATED_USERS", ("no-such-user",))
    monkeypatch.setattr(postgres_binaries.shutil, "which", lambda *_, **__: "/usr/sbin/useradd")
    monkeypatch.setattr(
        postgres_binaries.subprocess, "run", lambda words, **_: commands.append(words)
    )
    postgres_binaries.make_own_user()
    assert commands[0][-1] == postgres_binaries.OWN_USER
    own = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(postgres_binaries, "DEDICATED_USERS", (own,))
    postgres_binaries.make_own_user()
    assert len(commands) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_cluster_stays_its_owners(tmp_path, monkeypatch):
    cluster = postgres_binaries.embedded_cluster(tmp_path)
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("18\n")
    nobody = pwd.getpwnam("nobody")
    os.chown(cluster.data / "PG_VERSION", nobody.pw_uid, nobody.pw_gid)
    assert postgres_binaries.embedded_cluster(tmp_path).system_user == "nobody"
