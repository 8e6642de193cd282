"""A probe of the isolation between accounts, run against the real database as ``aether_app``."""

from collections.abc import Sequence

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from infra.runtime.database.connections import Database, RecordSession

_ROLE = text(
    """SELECT rolname AS name, rolsuper OR rolbypassrls AS bypasses
       FROM pg_roles WHERE rolname = current_user"""
)
_OWNED = text(
    """SELECT c.oid::regclass::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id'
       WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1"""
)
_FOREIGN_WRITE = text(
    """SELECT append_audit(:other, 'leak probe', 'leak_probe', '{}', '{}', '', false, '')"""
)


async def leak_probe(database: Database) -> list[str]:
    """Return every way in which one account's rows can be reached from elsewhere; empty is good.

    Looks at every table with an ``account_id``: without a scope nothing may be visible, in an
    account's scope only its own rows, and a row for another account may not be written.
    """
    accounts = await database.accounts()
    leaks: list[str] = []
    async with database.no_scope() as session:
        role = (await session.sql(_ROLE)).one()
        if role.bypasses:
            leaks.append(f"role {role.name} bypasses row-level security")
        tables: list[str] = []
        for row in await session.sql(_OWNED):
            tables.append(row.name)
            if not row.forced:
                leaks.append(f"{row.name}: row-level security is not forced")
        leaks += await _visible(session, tables, "no account", "")
    for account in accounts:
        async with database.account_scope(account) as session:
            leaks += await _visible(session, tables, account, account)
        leaks += [
            f"audit_log: {account} may write a row of {other}"
            for other in accounts
            if other != account and await _can_write(database, account, other)
        ]
    return leaks


async def _visible(
    session: RecordSession, tables: Sequence[str], scope: str, allowed: str
) -> list[str]:
    leaks = []
    for table in tables:
        query = text(f"SELECT count(*) FROM {table} WHERE account_id <> :allowed")  # noqa: S608  # names from the catalogue
        count = (await session.sql(query, {"allowed": allowed})).scalar_one()
        if count:
            leaks.append(f"{table}: {count} rows of others visible to {scope}")
    return leaks


async def _can_write(database: Database, account: str, other: str) -> bool:
    try:
        async with database.account_scope(account) as session:
            await session.sql(_FOREIGN_WRITE, {"other": other})
            await session.rollback()
    except DBAPIError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            return False
        raise
    return True
