"""Making a database: roles and database by a superuser, tables by migrations as the owner.

A database that a newer version has migrated is refused, unless that version has left word that
this one may go on with it: migrations that only add (``expand_only``) can be gone back from.
"""

import json
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import make_url

from infra.runtime.database.connections import DATABASE, Role, cured_by_retry
from infra.runtime.errors import StateError

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Any fixed number: two processes that migrate at once meet at this lock.
MIGRATION_LOCK = 4_707_110_219
RUNS_WITH = "schema_runs_with"
_NOTE = text(
    "INSERT INTO platform_settings (name, value) VALUES (:name, :value)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_NOTED = text("SELECT value FROM platform_settings WHERE name = :name")


def create_database(superuser_url: str, database: str = DATABASE) -> None:
    """Create the roles and the database where they are missing; repeating it is harmless.

    TimescaleDB becomes part of the database where the server has it: only a superuser may do that.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role in Role:
            _create_role(connection, role)
        name = sql.Identifier(database)
        known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [database])
        if known.fetchone() is None:
            create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0")
            connection.execute(create.format(name, sql.Identifier(Role.OWNER)))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
        for role in Role:
            # TEMPORARY is for the staging table that bars are copied into.
            grant = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}")
            connection.execute(grant.format(name, sql.Identifier(role)))
    _create_extension(superuser_url, database)


def migrate(owner_url: str) -> str:
    """Bring the database up to the newest migration and return its revision.

    Raises:
        StateError: a newer version has migrated it, and this one cannot go on with that.
    """
    engine = create_engine(
        make_url(owner_url).set(drivername="postgresql+psycopg"), poolclass=NullPool
    )
    with cured_by_retry(), engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
        connection.execute(text("SET lock_timeout = '4s'"))
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.commit()
        revision = _upgraded(connection)
    engine.dispose()
    return revision


def _upgraded(connection: Connection) -> str:
    config = _configuration()
    script = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in {one.revision for one in script.walk_revisions()}:
        connection.rollback()
        row = connection.execute(_NOTED, {"name": RUNS_WITH}).first()
        if newest_revision() not in (json.loads(row[0]) if row else ()):
            raise StateError(
                f"the database is of a newer version of Aether (revision {found}; this one knows "
                f"{newest_revision()}): start that version, or restore a backup of this one"
            )
        return found
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
    revision = MigrationContext.configure(connection).get_current_revision()
    assert revision is not None
    note = {"name": RUNS_WITH, "value": json.dumps(runs_with())}
    connection.execute(_NOTE, note)
    connection.commit()
    return revision


def runs_with() -> list[str]:
    """Return the older revisions whose code goes on with this one's tables, the newest first.

    A migration that only adds says ``expand_only = True``; the first that does not ends the list.
    """
    found: list[str] = []
    for script in ScriptDirectory.from_config(_configuration()).walk_revisions():
        before = script.down_revision
        if not getattr(script.module, "expand_only", False) or not isinstance(before, str):
            break
        found.append(before)
    return found


def newest_revision() -> str:
    """Return the revision that this release expects, for readiness checks."""
    revision = ScriptDirectory.from_config(_configuration()).get_current_head()
    assert revision is not None
    return revision


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _create_role(connection: psycopg.Connection[tuple[object, ...]], role: Role) -> None:
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role.value])
    if known.fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    connection.execute(
        sql.SQL("ALTER ROLE {} NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE").format(
            sql.Identifier(role)
        )
    )


def _create_extension(superuser_url: str, database: str) -> None:
    url = make_url(superuser_url).set(database=database).render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        available = connection.execute(
            "SELECT FROM pg_available_extensions WHERE name = 'timescaledb'"
        )
        if available.fetchone() is not None:
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
