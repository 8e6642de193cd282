"""How long an account has gone without a figure it needs is a metric, and in time an alarm."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from sqlalchemy import text

from api.queries.record_metrics import RecordGauges
from models.tables.documents import halts_document
from models.trading.account.state import Halt, HaltKind

SET = text("UPDATE accounts SET halts = CAST(:halts AS jsonb) WHERE account_id = 'company'")


async def gauges(database, api_database, *halts):
    async with database.account_scope("company") as session:
        await session.sql(SET, {"halts": orjson.dumps(halts_document(halts)).decode()})
    found = RecordGauges()
    await found.read(api_database, Path("no-backups-here"), [])
    registry = found.registry
    labels = {"account": "company"}
    return (
        registry.get_sample_value(
            "aether_account_unmeasured_seconds", labels | {"kind": "outdated"}
        ),
        registry.get_sample_value("aether_account_unmeasured_alert", labels),
    )


async def test_a_missing_figure_is_told_and_becomes_an_alarm(database, api_database):
    assert await gauges(database, api_database) == (0, 0)
    now = datetime.now(UTC)
    new = Halt(HaltKind.OUTDATED, "the fee rates are not known yet", now - timedelta(minutes=5))
    seconds, alarm = await gauges(database, api_database, new)
    assert 300 <= seconds < 330
    assert alarm == 0
    old = Halt(HaltKind.OUTDATED, "the fee rates are not known yet", now - timedelta(minutes=31))
    assert (await gauges(database, api_database, old))[1] == 1
    other = Halt(HaltKind.REQUESTED, "a pause", now - timedelta(days=3))
    assert await gauges(database, api_database, other) == (0, 0)
