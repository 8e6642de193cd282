"""The hot path's connections: isolated, rolled back on errors, and given up when cut off."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from activities.adapters.postgres.requests import PostgresRequests, RequestState
from infra.runtime.database.connections import Database

NOW = datetime(2024, 5, 1, tzinfo=UTC)
_OWN = text("SELECT account_id FROM accounts")
_CHANGE = text("UPDATE accounts SET next_trade = next_trade + 7 WHERE account_id = :account")
_NEXT = text("SELECT next_trade FROM accounts WHERE account_id = :account")


async def test_scope_ends_with_its_transaction(database: Database) -> None:
    async with database.light_scope("company") as session:
        assert [row.account_id for row in await session.sql(_OWN)] == ["company"]
    assert list(await database.call(_OWN)) == []


async def test_error_undoes_the_transaction_and_keeps_the_connection(database: Database) -> None:
    async with database.light_scope("company") as session:
        before = await session.sql(_NEXT, {"account": "company"})

    async def change_and_fail() -> None:
        async with database.light_scope("company") as session:
            await session.sql(_CHANGE, {"account": "company"})
            await session.sql(text("SELECT 1 / 0"))

    with pytest.raises(psycopg.errors.DivisionByZero):
        await change_and_fail()
    async with database.light_scope("company") as session:
        assert await session.sql(_NEXT, {"account": "company"}) == before


async def test_cut_off_statement_leaves_nothing_behind(database: Database) -> None:
    async def write_and_wait() -> None:
        async with database.light_scope("company") as session:
            await session.sql(_CHANGE, {"account": "company"})
            await session.sql(text("SELECT pg_sleep(20)"))

    async with database.light_scope("company") as session:
        before = await session.sql(_NEXT, {"account": "company"})
    for _ in range(12):  # more than there are connections: a lost one would be missed
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(write_and_wait(), 0.05)
    async with database.light_scope("company") as session:
        assert await session.sql(_NEXT, {"account": "company"}) == before


async def test_lost_connection_does_not_hide_that_the_caller_was_cut_off(
    database: Database,
) -> None:
    entered = asyncio.Event()

    async def hold() -> None:
        async with database.light_scope("company") as session:
            # What cutting a statement off may do: the driver gives the connection up.
            await session._connection.close()
            entered.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await entered.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding


async def test_colons_and_percent_signs_of_sql_are_left_alone(database: Database) -> None:
    statement = text("SELECT '12:30:00'::time::text AS at, 7 % :divisor AS rest, '5 %' AS share")
    (row,) = await database.call(statement, {"divisor": 4})
    assert (row.at, row.rest, row.share) == ("12:30:00", 3, "5 %")


async def test_answer_stands_although_the_note_was_forgotten(database: Database) -> None:
    requests = PostgresRequests(database)
    kept = await requests.finish("company", "never noted", 201, {"trade": 1}, NOW)
    assert (kept.status, kept.response) == (201, {"trade": 1})
    known = await requests.begin("company", "never noted", "hash", NOW)
    assert known.state is RequestState.NEW
