"""Finding, initialising and starting the wheel's PostgreSQL."""

import os

import pytest

from infra.runtime.database.connections import Role, database_url
from infra.runtime.settings import Settings
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
