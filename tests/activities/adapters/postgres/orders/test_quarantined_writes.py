"""A write that the record can never hold is kept beside it, and what follows goes on."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.accounts.quarantine import QuarantineInterceptor
from activities.accounts.records import RecordActivities
from activities.adapters.postgres.installation import create_account
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine, never_succeeds
from infra.runtime.database.connections import DatabaseUnavailableError
from models.contracts.records import SaveAccount
from models.trading.account.state import AccountState, Halt, HaltKind

AT = datetime(2026, 1, 2, tzinfo=UTC)


class Step(ActivityInboundInterceptor):
    """The step itself, behind whatever stands before it."""

    def __init__(self) -> None:
        pass

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        return await input.fn(*input.args)


async def carried_out(database, step, request, *, attempt=3):
    environment = ActivityEnvironment()
    name = step.__name__
    environment.info = replace(environment.info, activity_type=name, attempt=attempt)
    before = QuarantineInterceptor(PostgresQuarantine(database), never_succeeds, lambda: AT)
    chain = before.intercept_activity(Step())
    call = ExecuteActivityInput(step, (request,), None, {})
    return await environment.run(chain.execute_activity, call)


@pytest.fixture
async def account(database):
    state = AccountState(f"account-{uuid4().hex[:8]}", "installation")
    await create_account(database, state, "company", AT)
    return state


async def standing(database, account):
    rows = await PostgresQuarantine(database).standing()
    return [row for row in rows if row.account_id == account.account]


def halted(state, reason):
    halts = (Halt(HaltKind.REQUESTED, reason, AT),)
    details = {"reason": reason}
    return SaveAccount(replace(state, halts=halts), "halted", "anna", details, datetime.now(UTC))


@pytest.mark.parametrize("reason", ["nul \x00", "half \ud800"])
async def test_save_that_can_never_succeed_is_kept_and_the_next_one_is_written(
    database, account, reason
):
    records = RecordActivities(PostgresJournal(database))
    with pytest.raises((psycopg.DataError, UnicodeError)):
        await carried_out(database, records.save_account, halted(account, reason), attempt=2)
    assert await carried_out(database, records.save_account, halted(account, reason)) is None
    (kept,) = await standing(database, account)
    assert kept.step == "save_account"
    assert kept.reason
    assert "halted" in kept.content
    await carried_out(database, records.save_account, halted(account, "calm"))
    states = {state.account: state for state in await PostgresJournal(database).accounts()}
    assert [
        halt.reason for halt in states[account.account].halts if halt.kind is HaltKind.REQUESTED
    ] == ["calm"]


async def test_quarantined_write_stands_until_somebody_has_dealt_with_it(database, admin, account):
    records, quarantine = RecordActivities(PostgresJournal(database)), PostgresQuarantine(admin)
    await carried_out(database, records.save_account, halted(account, "nul \x00"))
    (kept,) = await standing(database, account)
    assert await quarantine.settle(account.account, kept.write_id, "machine/anna", AT)
    assert not await quarantine.settle(account.account, kept.write_id, "machine/anna", AT)
    assert await standing(database, account) == []


async def test_record_that_is_away_is_asked_again(database, account):
    async def save_account(_request):
        raise DatabaseUnavailableError("gone")

    with pytest.raises(DatabaseUnavailableError):
        await carried_out(database, save_account, halted(account, "calm"), attempt=50)
    assert await standing(database, account) == []


async def test_kill_switch_that_cannot_be_raised_is_never_taken_for_raised(database):
    async def raise_kill_switch(_request):
        raise psycopg.DataError("no")

    with pytest.raises(psycopg.DataError):
        await carried_out(database, raise_kill_switch, None, attempt=50)
