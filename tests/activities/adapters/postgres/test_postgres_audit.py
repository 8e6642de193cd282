"""The audit log refuses change, chains under concurrency, and shows tampering."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from activities.adapters.postgres.audit import verify_chain, verify_chains
from infra.runtime.database.connections import Database, Role

CHANGES = (
    "UPDATE audit_log SET actor = 'x'",
    "UPDATE audit_log SET actor = 'x' WHERE false",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
)


@pytest.fixture
async def filled(journal):
    for number in range(4):
        details = {"number": str(number), "text": 'quote " newline \n tab \t umlaut ü €'}
        await journal.audit("company", "somebody", "something", details, "correlation")
    return journal


@pytest.mark.parametrize("statement", CHANGES)
async def test_application_cannot_change_the_log(filled, database, statement):
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.account_scope("company") as session:
            await session.sql(text(statement))


@pytest.mark.parametrize("role", ["postgres", Role.OWNER])
@pytest.mark.parametrize("statement", CHANGES)
def test_owner_and_superuser_are_refused_by_the_trigger(
    filled, postgres, database_name, role, statement
):
    with psycopg.connect(postgres.url(role, database_name)) as connection:
        if role == "postgres":
            connection.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.DatabaseError, match="append-only"):
            connection.execute(statement)


async def test_chain_holds_under_concurrent_inserts(filled, database):
    await asyncio.gather(
        *(filled.audit("company", f"actor {n}", "raced", {"n": str(n)}, "") for n in range(60)),
        *(filled.audit("platform", f"actor {n}", "raced", {"n": str(n)}, "") for n in range(20)),
    )
    reports = await verify_chains(database)
    assert [report.account for report in reports] == ["platform", "company", "director-1"]
    assert all(report.intact for report in reports), reports
    assert reports[0].rows == 20
    assert reports[1].rows >= 64


async def test_figures_claimed_by_a_writer_are_replaced_by_the_database(
    filled, database, postgres, database_name
):
    forged = text(
        """INSERT INTO audit_log VALUES ('company', 1, '2001-01-01', 'me', 'forged', '{}', '',
           'x', 'y')"""
    )
    owner = Database(postgres.url(Role.OWNER, database_name))
    async with owner.account_scope("company") as session:
        await session.sql(forged)
    await owner.close()
    assert (await verify_chain(database, "company")).intact


@pytest.mark.parametrize(
    ("tampering", "broken", "reason"),
    [
        ("UPDATE audit_log SET actor = 'x' WHERE {} AND sequence = 3", 3, "content was changed"),
        ("UPDATE audit_log SET recorded_at = now() WHERE {} AND sequence = 2", 2, "changed"),
        (
            'UPDATE audit_log SET details = \'{{"a": "b"}}\' WHERE {} AND sequence = 2',
            2,
            "content was changed",
        ),
        ("DELETE FROM audit_log WHERE {} AND sequence = 2", 2, "missing"),
        ("DELETE FROM audit_log WHERE {} AND sequence >= 4", 4, "missing at the end"),
        ("DELETE FROM audit_log WHERE {}", 1, "missing"),
        ("UPDATE audit_log SET account_id = 'director-9' WHERE {} AND sequence = 1", 1, "missing"),
    ],
)
async def test_tampering_by_a_superuser_is_found_and_named(
    postgres, journal_of_fresh_database, tampering, broken, reason
):
    journal, database, url = journal_of_fresh_database
    for number in range(5):
        await journal.audit("company", "somebody", "something", {"n": str(number)}, "")
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER ALL")
        connection.execute(tampering.format("account_id = 'company'"))
        connection.execute("ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_chain")
    report = await verify_chain(database, "company")
    assert report.broken_at == broken
    assert reason in report.reason


@pytest.fixture
async def journal_of_fresh_database(postgres):
    from activities.adapters.postgres.journal import PostgresJournal

    name = postgres.new_database()
    database = Database(postgres.url(Role.APP, name))
    yield PostgresJournal(database), database, postgres.url("postgres", name)
    await database.close()
