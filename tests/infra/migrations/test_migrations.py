"""Migrations build what the tables say, once, from nothing."""

import asyncio

import psycopg
import pytest
from sqlmodel import SQLModel

import models.tables  # noqa: F401  # registers the tables
from infra.runtime.database.connections import (
    Database,
    DatabaseUnavailableError,
    Role,
    TimeSeriesStorage,
)
from infra.runtime.database.setup import create_database, migrate, newest_revision

COLUMNS = """
    SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
KEYS = """
    SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
    WHERE c.contype = 'p' AND c.connamespace = 'public'::regnamespace
"""


def test_tables_of_the_models_are_those_of_the_database(postgres, database_name):
    tables = SQLModel.metadata.tables.values()
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        columns = set(connection.execute(COLUMNS).fetchall())
        keys = {key for key in connection.execute(KEYS).fetchall() if key[0] != "alembic_version"}
    assert columns == {(t.name, c.name, bool(c.nullable)) for t in tables for c in t.columns}
    assert keys == {(t.name, c.name) for t in tables for c in t.primary_key}


def test_money_is_numeric_and_moments_carry_their_zone(postgres, database_name):
    with psycopg.connect(postgres.url("postgres", database_name)) as connection:
        kinds = connection.execute(
            "SELECT DISTINCT data_type FROM information_schema.columns "
            "WHERE table_schema = 'public' AND NOT (table_name = 'trading_days' "
            "AND column_name = 'day')"  # a date in the account's own zone, no moment
        ).fetchall()
    lossy = {"real", "double precision", "money", "timestamp without time zone", "date"}
    assert not lossy & {kind for (kind,) in kinds}


async def test_two_that_set_up_at_once_both_succeed_and_repeating_changes_nothing(postgres):
    name = "aether_raced"
    await asyncio.to_thread(create_database, postgres.cluster.url(), name)
    owner = postgres.url(Role.OWNER, name)
    revisions = await asyncio.gather(*(asyncio.to_thread(migrate, owner) for _ in range(2)))
    assert {*revisions, migrate(owner)} == {newest_revision()}
    create_database(postgres.cluster.url(), name)


async def test_database_tells_which_form_its_time_series_have(postgres, database_name):
    database = Database(postgres.url(Role.APP, database_name))
    assert await database.time_series_storage() is TimeSeriesStorage.PLAIN_TABLES
    await database.close()


def test_migrating_where_no_server_is_says_so(tmp_path):
    with pytest.raises(DatabaseUnavailableError):
        migrate(f"postgresql://aether_owner@/aether?host={tmp_path}")
