"""The training ledger on a real database: what is in it stays, and counts for ever."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text

from activities.adapters.postgres.audit import append, verify_chain
from activities.adapters.postgres.learning import champions
from activities.adapters.postgres.learning.ledger import PostgresTrainingLedger
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.adapters.postgres.learning.shadows import PostgresShadows
from activities.ports.learning.models import RegisteredModel
from activities.ports.learning.training import LedgerTrial, TrialKey
from api.queries.learning.trainings import training_cancelled_by, trainings
from infra.runtime.database.connections import PLATFORM_SCOPE, Database, Role
from models.contracts.learning import NO_TRADE, Promotion, TrainingRequest
from models.learning.estimators.calibration import Calibration
from models.learning.training.holdout import HoldoutResult
from models.learning.training.question import TrialResult
from models.learning.validation.gate import Finding, GateReport
from tests.support.lifting import approve_model
from tests.support.postgres import PostgresServer

KEY = TrialKey("data", "question")
CALIBRATION = Calibration(100, 0.2, 0.25, 1.0, 0.5, 1.5)


def trial(name: str, first: float = 0.5, calibration: Calibration | None = CALIBRATION):
    net = np.array([first, -0.25, 1 / 3])
    result = TrialResult(name, net, np.abs(net) / 7, np.empty(0), calibration, ("fold 1: x",))
    return LedgerTrial(KEY.question, 86_400, 86_400, result)


@pytest_asyncio.fixture(loop_scope="session")
async def learning(postgres: PostgresServer, database: Database, database_name: str):
    connected = Database(postgres.url(Role.LEARNING, database_name))
    yield connected
    await connected.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(learning: Database) -> AsyncIterator[PostgresTrainingLedger]:
    found = PostgresTrainingLedger(learning)
    await found.begin_run(TrainingRequest("run-1", "anna", "try"), KEY, "f", "c", 10, 2)
    yield found


async def test_trial_comes_back_as_it_was(ledger):
    await ledger.add_trial("run-1", KEY, trial("one"), 1.5)
    found = next(t for t in await ledger.trials("data") if t.result.trial == "one")
    expected = trial("one").result
    assert np.array_equal(found.result.net, expected.net)
    assert np.array_equal(found.result.costs, expected.costs)
    assert found.result.calibration == CALIBRATION
    assert found.result.failures == ("fold 1: x",)
    assert (found.begins, found.period_seconds) == (86_400, 86_400)


async def test_finished_trial_is_never_replaced(ledger):
    await ledger.add_trial("run-1", KEY, trial("two"), 1.5)
    await ledger.add_trial("run-1", KEY, trial("two", first=9.0), 1.5)
    found = [t.result for t in await ledger.trials("data") if t.result.trial == "two"]
    assert [float(result.net[0]) for result in found] == [0.5]


async def test_trials_of_other_data_are_not_counted(ledger):
    await ledger.add_trial("run-1", TrialKey("other", "question"), trial("three"), 1.5)
    assert "three" not in [t.result.trial for t in await ledger.trials("data")]


async def test_unknown_figure_of_a_verdict_is_null(ledger, learning):
    finding = Finding("candidate", float("nan"), 0.0, passed=False, note="none")
    await ledger.save_verdict("run-1", None, GateReport((finding,), None, 0.0))
    async with learning.no_scope() as session:
        query = psycopg.sql.SQL("SELECT passed, findings FROM training_verdicts").as_string()
        row = (await (await session.connection()).exec_driver_sql(query)).one()
    assert row.passed is False
    assert row.findings[0]["figure"] is None


async def test_no_trade_is_the_first_champion_and_the_end_of_every_way_back(
    ledger, learning, admin, postgres, database_name
):
    assert (await champions.champion(learning)).model == NO_TRADE
    for model in ("run-1", "run-2", "run-2"):
        approve_model(postgres.url("postgres", database_name), model)
        await ledger.promote(Promotion(model, "bert", "better"))
    assert (await champions.champion(learning)).number == 3
    found = []
    for number in (3, 4, 5):
        done = await champions.roll_back(learning, "aether", "it loses", expected=number)
        assert done.done
        found.append(done.followed_by.model)
    assert found == ["run-1", NO_TRADE, NO_TRADE]
    # The step that promotes is repeated after its model was withdrawn: it stays withdrawn.
    await ledger.promote(Promotion("run-2", "bert", "better"))
    assert (await champions.champion(learning)).model == NO_TRADE
    assert (await champions.champion(admin)).model == NO_TRADE
    assert (await verify_chain(admin, PLATFORM_SCOPE)).intact


async def test_alarm_about_one_champion_withdraws_no_other(
    ledger, learning, postgres, database_name
):
    before = (await champions.champion(learning)).number
    for model in ("run-a", "run-b"):
        approve_model(postgres.url("postgres", database_name), model)
        await ledger.promote(Promotion(model, "bert", "better"))
    # Two withdrawals of the same champion meet: one is done, and the champion before it stays.
    both = await asyncio.gather(
        *(
            champions.roll_back(learning, "aether", "it loses", expected=before + 2)
            for _ in range(2)
        )
    )
    assert sorted(one.done for one in both) == [False, True]
    assert {one.followed_by.number for one in both} == {before + 3}
    assert (await champions.champion(learning)).model == "run-a"
    # Judged was one from before.
    late = await champions.roll_back(learning, "aether", "it loses", expected=before + 1)
    assert (late.done, late.followed_by.model) == (False, "run-b")
    assert (await champions.champion(learning)).model == "run-a"


async def test_cancelled_run_says_so_once_and_its_shadow_ends(ledger, learning, admin):
    await ledger.begin_run(TrainingRequest("run-c", "anna", "try"), KEY, "f", "c", 10, 2)
    models = PostgresModelRecord(learning)
    pins = RegisteredModel(77, "run-c", "one", "s", "g", "f", "d", "c")
    await models.note_model(pins)
    await PostgresShadows(learning).begin_shadow("run-c", 77, 20)
    assert await models.in_shadow() == pins
    for _ in range(2):
        await ledger.end_cancelled("run-c", "deciding in shadow")
    assert await models.in_shadow() is None
    ended = await PostgresShadows(learning).end_shadow("run-c", 3, "later")
    assert (ended.decisions, ended.reason) == (0, "the training was cancelled")
    async with admin.account_scope(PLATFORM_SCOPE) as session:
        query = "SELECT actor, details FROM audit_log WHERE action = 'training_ended'"
        rows = (await (await session.connection()).exec_driver_sql(query)).all()
    assert [row.details for row in rows] == [
        {"run": "run-c", "step": "deciding in shadow", "outcome": "cancelled"}
    ]


async def test_view_tells_who_has_cancelled_unless_it_was_too_late(
    ledger, learning, admin, postgres, database_name
):
    for run in ("run-x", "run-y", "run-z"):
        await ledger.begin_run(TrainingRequest(run, "anna", "try"), KEY, "f", "c", 10, 2)
    async with admin.account_scope(PLATFORM_SCOPE) as session:
        for run in ("run-x", "run-y"):
            details = {"run": run}
            await append(session, PLATFORM_SCOPE, "machine/ops", "training_cancelled", details)
    approve_model(postgres.url("postgres", database_name), "run-y")
    await ledger.promote(Promotion("run-y", "aether", "approved"))
    views = {view.run_id: view.cancelled_by for view in await trainings(admin, 100)}
    assert views["run-x"].endswith("machine/ops")
    assert (views["run-y"], views["run-z"]) == (None, None)
    assert (await training_cancelled_by(admin, "run-x")) == views["run-x"]
    assert await training_cancelled_by(admin, "run-z") is None


def looked(reason: str = "") -> HoldoutResult:
    return HoldoutResult(0, 86_400 * 365, 200, 40, 0.001, 0.1, float("inf"), reason)


async def test_hold_out_is_opened_once_for_a_release_and_audited(ledger, admin):
    assert await ledger.holdout_opening("release-1") is None
    first = await ledger.note_opening("release-1", "run-1", "data", looked())
    assert (first.run_id, first.reason) == ("run-1", "")
    # A second look, of another run or another result, changes nothing.
    await ledger.begin_run(TrainingRequest("run-9", "anna", "again"), KEY, "f", "c", 10, 2)
    again = await ledger.note_opening("release-1", "run-9", "data", looked("it loses"))
    assert again == first == await ledger.holdout_opening("release-1")
    await ledger.note_opening("release-2", "run-9", "data", looked("it loses"))
    rows = await admin.call(
        text("SELECT release, earlier, detectable FROM holdout_openings ORDER BY opened_at")
    )
    assert [tuple(row) for row in rows] == [("release-1", 0, None), ("release-2", 1, None)]
    async with admin.account_scope(PLATFORM_SCOPE) as session:
        opened = text(
            "SELECT details->>'release' FROM audit_log WHERE action = 'holdout_opened' "
            "AND details->>'release' LIKE 'release-%' ORDER BY sequence"
        )
        assert (await session.sql(opened)).scalars().all() == ["release-1", "release-2"]
    assert (await verify_chain(admin, PLATFORM_SCOPE)).intact


async def test_each_training_that_begins_is_one_row_of_the_record(ledger, admin):
    for _ in range(2):
        again = TrainingRequest("run-of-record", "user/anna", "for the record")
        await ledger.begin_run(again, KEY, "f", "c", 10, 2)
    async with admin.account_scope(PLATFORM_SCOPE) as session:
        begun = text(
            "SELECT actor, details FROM audit_log WHERE action = 'training_begun' "
            "AND details->>'run' = 'run-of-record'"
        )
        rows = (await session.sql(begun)).all()
    details = {"run": "run-of-record", "requested_by": "user/anna", "reason": "for the record"}
    assert [tuple(row) for row in rows] == [("aether", details)]


TABLES = ["trials", "training_runs", "training_verdicts", "champions", "holdout_openings"]


@pytest.mark.parametrize("table", TABLES)
def test_not_even_the_owner_changes_the_ledger(postgres, ledger, database_name, table):
    with psycopg.connect(postgres.url(Role.OWNER, database_name)) as connection:
        with pytest.raises(psycopg.Error) as error:
            connection.execute(f"DELETE FROM {table}")
        assert error.value.sqlstate == "AE004"
