"""Shadows in a real record: begun once, counted, ended once, told to all who are concerned."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError
from temporalio.testing import ActivityEnvironment

from activities.adapters.postgres.learning.ledger import PostgresTrainingLedger
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.adapters.postgres.learning.shadows import PostgresShadows
from activities.learning.shadowing import ShadowActivities
from activities.ports.learning.models import LoggedPrediction, RegisteredModel
from activities.ports.learning.training import TrialKey
from api.queries.learning import trainings as queries
from infra.runtime.database.connections import Database, Role
from models.contracts.learning import TrainingRequest
from models.learning.validation.gate import Finding, GateReport

START = datetime(2024, 1, 1, tzinfo=UTC)


class Installation:
    """The record as the learning process, the market and the API see it, with a judged model."""

    def __init__(self, postgres, name: str) -> None:
        self.learning = Database(postgres.url(Role.LEARNING, name))
        self.market = Database(postgres.url(Role.MARKET, name))
        self.reader = Database(postgres.url(Role.API, name))
        self.owner = postgres.url("postgres", name)
        self.asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
        self.decider = PostgresModelRecord(self.market)

    async def passed(self) -> None:
        ledger = PostgresTrainingLedger(self.learning)
        await ledger.begin_run(self.asked, TrialKey("data", "question"), "f", "c", 10, 2)
        report = GateReport((Finding("trials", 1.0, 20.0, passed=True),), None, 0.1)
        await ledger.save_verdict(self.asked.run_id, "committee(leaves=2)", report)
        model = RegisteredModel(3, self.asked.run_id, "committee", "s", "g", "f", "d", "c")
        await PostgresModelRecord(self.learning).note_model(model)

    async def decided(self, number: int, **changes: object) -> None:
        made = {"probability": 0.6, "stake": 0.05, "shadow": True} | changes
        bar = START + timedelta(days=number)
        await self.decider.log_prediction(
            LoggedPrediction(f"idea-{number}", 3, "f", "ETH/USD", bar, **made)
        )

    async def told(self):
        (training,) = await queries.trainings(self.reader, 10)
        (model,) = await queries.models(self.reader, 10)
        return training.shadow, model.standing

    async def close(self) -> None:
        for database in (self.learning, self.market, self.reader):
            await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def installation(postgres):
    made = Installation(postgres, postgres.new_database())
    await made.passed()
    yield made
    await made.close()


async def test_shadow_is_over_with_the_decisions_that_were_wanted(installation):
    look = ShadowActivities(PostgresShadows(installation.learning), wanted=3).look_at_shadow
    assert await installation.decider.in_shadow() is None
    assert await installation.told() == (None, "challenger")

    async def seen(*, is_last=False):
        return await ActivityEnvironment().run(look, installation.asked, 3, is_last)

    assert not (await seen()).over
    assert (await installation.decider.in_shadow()).run_id == installation.asked.run_id
    await installation.decided(1)
    # A registry that was away for a moment is no decision, and no fault of the model.
    away = "for the moment: the registry does not answer"
    await installation.decided(2, probability=None, stake=None, refusal=away)
    await installation.decided(3)
    found = await seen()
    assert (found.decisions, found.wanted, found.over) == (2, 3, False)
    shadow, standing = await installation.told()
    assert (shadow.decisions, shadow.wanted, shadow.reason, standing) == (2, 3, None, "shadow")
    await installation.decided(4)
    found = await seen()
    assert (found.decisions, found.over, found.reason) == (3, True, "")
    assert await installation.decider.in_shadow() is None
    # What comes later changes nothing: it has ended, once.
    await installation.decided(5, refusal="the prediction is no probability", hard=True)
    assert await seen(is_last=True) == found
    shadow, standing = await installation.told()
    assert (shadow.decisions, shadow.reason, standing) == (3, "", "challenger")


@pytest.mark.parametrize("case", ["hard", "late"])
async def test_shadow_that_fails_says_why(installation, case):
    look = ShadowActivities(PostgresShadows(installation.learning), wanted=3).look_at_shadow
    run = ActivityEnvironment().run
    await run(look, installation.asked, 3, False)
    await installation.decided(1)
    if case == "hard":
        await installation.decided(2, refusal="the prediction is no probability", hard=True)
    found = await run(look, installation.asked, 3, case == "late")
    assert found.over
    wanted = {"hard": "no probability", "late": "only 1 of 3 decisions in time"}
    assert wanted[case] in found.reason
    assert (await installation.told())[0].reason == found.reason


async def test_nobody_takes_in_shadow_and_nobody_changes_it(installation):
    await PostgresShadows(installation.learning).begin_shadow(installation.asked.run_id, 3, 3)
    with pytest.raises(DBAPIError, match="shadow_takes_nothing"):
        await installation.decided(1, taken=True)
    with (
        psycopg.connect(installation.owner) as connection,
        pytest.raises(psycopg.DatabaseError, match="append-only"),
    ):
        connection.execute("UPDATE shadows SET wanted = 1")
