"""A database that a newer version has migrated: refused, unless that version has said otherwise."""

import asyncio
import json

import psycopg
import pytest

from infra.runtime.database.connections import Role
from infra.runtime.database.setup import (
    RUNS_WITH,
    create_database,
    migrate,
    newest_revision,
    runs_with,
)
from infra.runtime.errors import StateError

NAME = "aether_newer"
NEWER = "9999_from_the_future"


@pytest.fixture
async def newer(postgres):
    """The address of a database as a newer version leaves it; it says with what it goes on."""
    await asyncio.to_thread(create_database, postgres.cluster.url(), NAME)
    owner = postgres.url(Role.OWNER, NAME)
    await asyncio.to_thread(migrate, owner)

    def leave(*revisions):
        with psycopg.connect(owner) as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", [NEWER])
            connection.execute(
                "UPDATE platform_settings SET value = %s WHERE name = %s",
                [json.dumps(revisions), RUNS_WITH],
            )
        return owner

    yield leave
    with psycopg.connect(postgres.cluster.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def revision_of(url):
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


async def test_one_that_is_newer_than_the_code_is_refused_and_stays_as_it_is(newer):
    url = newer()
    with pytest.raises(StateError, match=f"newer version.*{NEWER}.*{newest_revision()}"):
        await asyncio.to_thread(migrate, url)
    assert revision_of(url) == NEWER


async def test_one_that_names_this_version_is_gone_on_with(newer):
    url = newer("0000_other", newest_revision())
    assert await asyncio.to_thread(migrate, url) == NEWER
    assert revision_of(url) == NEWER


async def test_what_a_migration_leaves_word_of_is_what_the_code_says(newer, postgres):
    with psycopg.connect(postgres.url(Role.OWNER, NAME)) as connection:
        (noted,) = connection.execute(
            "SELECT value FROM platform_settings WHERE name = %s", [RUNS_WITH]
        ).fetchone()
    assert json.loads(noted) == runs_with()


async def test_a_lock_that_somebody_holds_ends_the_migration_and_not_the_others(newer, postgres):
    """Whoever migrates waits for four seconds at most; everybody else goes on meanwhile."""
    url = newer()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0024_learning'")
    holder = psycopg.connect(url)
    holder.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
    try:
        with pytest.raises(ConnectionError, match="lock timeout"):
            await asyncio.to_thread(migrate, url)
    finally:
        holder.close()
