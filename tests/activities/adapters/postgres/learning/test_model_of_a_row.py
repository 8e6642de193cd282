"""A row of the record says which model stands behind it, wherever a model has decided."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from activities.adapters.postgres.audit import verify_chain
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.ports.learning.models import LoggedPrediction
from tests.activities.adapters.postgres.orders.test_postgres_trades import a_state

NOW = datetime.now(UTC)
CONTEXTS = text(
    "SELECT action, context->'model' AS model, context->>'code' AS code FROM audit_log"
    " WHERE account_id = 'company' AND sequence > :after ORDER BY sequence"
)
NEWEST = text("SELECT coalesce(max(sequence), 0) FROM audit_log WHERE account_id = 'company'")


@pytest.fixture
async def written(database):
    """Return what was written since: the action and the model of each row."""
    async with database.account_scope("company") as session:
        after = (await session.sql(NEWEST)).scalar_one()

    async def rows():
        async with database.account_scope("company") as session:
            found = (await session.sql(CONTEXTS, {"after": after})).all()
        assert all(row.code for row in found)
        return [(row.action, row.model) for row in found]

    return rows


@pytest.fixture
def decided(market_database):
    """Write down what a model has decided on a new idea, and return the idea's id."""

    async def decide(version, *, taken=True):
        idea = uuid4().hex
        found = LoggedPrediction(idea, version, "f", "BTC/USD", NOW)
        found = replace(found, probability=0.6, stake=0.1, taken=taken)
        await PostgresModelRecord(market_database).log_prediction(found)
        return idea

    return decide


async def save(journal, number, source):
    state = a_state(number)
    plan = replace(state.plan, source=source)
    await journal.save_trade(replace(state, plan=plan), "trade_opened", NOW, None)


async def test_each_row_of_a_trade_that_a_model_decided_has_its_version(
    database, journal, decided, written
):
    await save(journal, 7001, f"idea/{await decided(12)}")
    await journal.audit("company", "anna", "stop_moved", {"trade": "7001"}, "trade/7001")
    await save(journal, 7002, f"idea/{uuid4().hex}")
    await save(journal, 7003, "request/7003")
    assert await written() == [
        ("trade_opened", 12),
        ("stop_moved", 12),
        ("trade_opened", None),
        ("trade_opened", None),
    ]
    assert (await verify_chain(database, "company")).intact


@pytest.mark.parametrize("name", ["idea", "request"])
async def test_a_row_that_names_a_models_idea_has_its_version(journal, decided, written, name):
    details = {name: f"idea/{await decided(13)}", "why": "sanctioned"}
    await journal.audit("company", "strategy/learned", "trade_refused", details, "")
    await journal.audit("company", "anna", "trade_refused", {name: "request/idea/1"}, "")
    await journal.audit("company", "anna", "halted", {"reason": "idea/1"}, "trade/no-number")
    expected = [("trade_refused", 13), ("trade_refused", None), ("halted", None)]
    assert await written() == expected


async def test_what_a_model_did_not_take_is_nobodys_decision(journal, decided, written):
    await save(journal, 7004, f"idea/{await decided(14, taken=False)}")
    assert await written() == [("trade_opened", None)]
