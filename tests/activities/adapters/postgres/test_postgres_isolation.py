"""Accounts cannot see or write each other's rows, whatever the query."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from activities.adapters.postgres.leak_probe import leak_probe
from activities.ports.journal import Discrepancies
from infra.migrations.first.security import ACCOUNT_OWNED
from tests.support.record_builders import NOW, a_fill, an_order

TABLES_WITH_ACCOUNT = """
    SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
           EXISTS (SELECT FROM pg_policies p WHERE p.tablename = c.relname
                   AND p.qual LIKE '%current_setting%' AND p.with_check LIKE '%current_setting%')
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'account_id'
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""


def test_every_table_with_an_account_forces_row_level_security(superuser_url, database):
    with psycopg.connect(superuser_url) as connection:
        rows = connection.execute(TABLES_WITH_ACCOUNT).fetchall()
    assert {row[0] for row in rows} >= {*ACCOUNT_OWNED, "approvals", "hedge_reviews"}
    assert all(all(row[1:]) for row in rows), rows


def test_no_process_role_bypasses_isolation_or_owns_tables(superuser_url, database):
    with psycopg.connect(superuser_url) as connection:
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'aether%' "
            "AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)"
        ).fetchall()
        owned = connection.execute(
            "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) "
            "IN ('aether_app', 'aether_market')"
        ).fetchall()
    assert roles == []
    assert owned == []


async def test_probe_finds_nothing_in_a_filled_database(journal, database):
    for account in ("company", "director-1"):
        await journal.store_intent(an_order(account=account), NOW)
        await journal.record_fills(account, [a_fill("O1")])
        await journal.audit(account, "somebody", "something", {}, "")
        await journal.record_reconciliation(account, Discrepancies({"balances": ["BTC"]}), NOW)
        await journal.advance_checkpoint(account, NOW)
    assert await leak_probe(database) == []


async def test_probe_names_a_table_whose_protection_was_taken_away(
    journal, database, superuser_url
):
    await journal.store_intent(an_order(account="director-1"), NOW)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE orders DISABLE ROW LEVEL SECURITY")
        try:
            leaks = await leak_probe(database)
        finally:
            connection.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
    assert "orders: row-level security is not forced" in leaks
    assert any("visible to company" in leak for leak in leaks)
    assert any("visible to no account" in leak for leak in leaks)


async def test_scope_ends_with_its_transaction(database):
    async with database.account_scope("company") as session:
        assert (await session.sql(text("SELECT count(*) FROM accounts"))).scalar_one() == 1
    for _ in range(12):
        async with database.no_scope() as session:
            assert (await session.sql(text("SELECT count(*) FROM accounts"))).scalar_one() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO checkpoints VALUES ('director-1', now())",
        "UPDATE orders SET account_id = 'director-1'",
    ],
)
async def test_row_of_another_account_cannot_be_written_or_moved(journal, database, statement):
    await journal.store_intent(an_order(), NOW)
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.account_scope("company") as session:
            await session.sql(text(statement))


async def test_market_role_reads_nothing_of_accounts_but_watches_and_followers(market_database):
    async with market_database.no_scope() as session:
        assert (await session.sql(text("SELECT count(account_id) FROM accounts"))).scalar_one()
    for table in ("orders", "fills", "trades", "balances", "audit_log"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with market_database.no_scope() as session:
                await session.sql(text(f"SELECT * FROM {table}"))
