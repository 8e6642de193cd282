"""Figures of the record that pages read, on a real record without workers."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import pytest_asyncio

from activities.adapters.postgres.installation import create_account, installation_id
from api.queries.record_metrics import RecordGauges
from infra.backup.verified import note_verified
from infra.runtime.database.connections import Database, Role
from infra.runtime.state_directory import StateDirectory
from models.trading.account.state import AccountState


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(postgres, database_name):
    database = Database(postgres.url(Role.ADMIN, database_name))
    installation = await installation_id(database)
    for account in ("company", "director-1"):
        state = AccountState(account=account, installation=installation, strategies=("trend",))
        await create_account(database, state, "director", datetime.now(UTC))
    await database.close()
    reading = Database(postgres.url(Role.API, database_name))
    yield reading
    await reading.close()


@pytest.fixture
def superuser(postgres, database_name):
    with psycopg.connect(postgres.url("postgres", database_name), autocommit=True) as connection:
        yield connection


async def told(database, home):
    gauges = RecordGauges()
    await gauges.read(database, home, [])

    def value(name, **labels):
        return gauges.registry.get_sample_value(name, labels)

    return value


async def test_an_account_that_has_not_acknowledged_is_told(database, superuser, tmp_path):
    name = "aether_kill_switch_unacknowledged_seconds"
    assert (await told(database, tmp_path))(name) == 0
    engaged = datetime.now(UTC) - timedelta(seconds=40)
    superuser.execute(
        "INSERT INTO kill_switches (number, accounts, flatten, reason, engaged_by, engaged_at)"
        " VALUES (7, %s, false, 'tried', 'aether', %s)",
        [["company", "director-1"], engaged],
    )
    acknowledge = "UPDATE kill_switches SET acknowledged = acknowledged || %s::jsonb"
    superuser.execute(acknowledge, [json.dumps({"company": engaged.isoformat()})])
    assert 40 <= (await told(database, tmp_path))(name) < 50
    superuser.execute(acknowledge, [json.dumps({"director-1": engaged.isoformat()})])
    assert (await told(database, tmp_path))(name) == 0


async def test_why_an_account_is_halted_is_told(database, superuser, tmp_path):
    halt = {
        "kind": "daily_drawdown", "reason": "lost", "since": "2026-05-04T12:00:00Z", "number": 0
    }  # fmt: skip
    superuser.execute(
        "UPDATE accounts SET halts = %s::jsonb WHERE account_id = 'company'", [json.dumps([halt])]
    )
    value = await told(database, tmp_path)
    name = "aether_account_halted"
    assert value(name, account="company", kind="daily_drawdown") == 1
    assert value(name, account="company", kind="total_drawdown") == 0
    assert value(name, account="director-1", kind="daily_drawdown") == 0


async def test_the_age_of_the_verified_backup_is_told(database, tmp_path):
    StateDirectory(tmp_path).run.mkdir()
    taken = datetime.now(UTC) - timedelta(hours=3)
    note_verified(tmp_path, "one", taken, datetime.now(UTC))
    age = (await told(database, tmp_path))("aether_backup_verified_age_seconds")
    assert age == pytest.approx(3 * 3600, abs=30)


async def test_quarantined_history_is_told(database, superuser, tmp_path):
    name = "aether_history_quarantined_batches_count"
    assert (await told(database, tmp_path))(name) == 0
    superuser.execute(
        "INSERT INTO history_series (venue, symbol, interval_minutes) VALUES ('x', 'BTC/USD', 1);"
        "INSERT INTO history_imports (series_id, digest, label, batch_rows, started_at)"
        " SELECT series_id, 'd', 'f', 10, now() FROM history_series;"
        "INSERT INTO history_batches SELECT import_id, 0, 10, true, 0, 0, 0, NULL, '[]', NULL,"
        " now() FROM history_imports"
    )
    assert (await told(database, tmp_path))(name) == 1
