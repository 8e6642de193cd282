"""Stories of trainings on a real Temporal server: nobody is promoted past the gate or alone."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.worker import Worker

from activities.learning.training import TrainingActivities
from infra.runtime.temporal.workers import worker_options
from models.contracts.approvals import ApprovalDecision
from models.contracts.learning import (
    LEARNING_QUEUE,
    NO_TRADE,
    TrainingDone,
    TrainingJudged,
    TrainingPlanned,
    TrainingRequest,
    TrialsFinished,
    training_workflow_id,
)
from models.contracts.names import TRADING_QUEUE, approval_workflow_id
from models.trading.answers import Answer
from tests.support.temporal import World, eventually
from tests.support.training import FakeLedger, short_question, write_market
from workers.learning import learning_worker
from workflows.learning.training import TrainingWorkflow


class PassingSteps:
    """Steps whose gate says yes, over a ledger."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger

    @activity.defn(name="plan_training")
    async def plan(self, _: TrainingRequest) -> TrainingPlanned:
        return TrainingPlanned("data", 1, 1)

    @activity.defn(name="run_trials")
    async def trials(self, _: TrainingRequest, __: str) -> TrialsFinished:
        return TrialsFinished(1, 1)

    @activity.defn(name="judge_training")
    async def judge(self, _: TrainingRequest, __: str) -> TrainingJudged:
        return TrainingJudged(True, "committee", ())


async def start(client, asked):
    return await client.start_workflow(
        TrainingWorkflow.run,
        asked,
        id=training_workflow_id(asked.run_id),
        task_queue=LEARNING_QUEUE,
    )


async def test_random_walk_is_refused_and_no_trade_stays(client, tmp_path):
    ledger = FakeLedger()
    steps = TrainingActivities(ledger, write_market(tmp_path), "code", short_question)
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    async with learning_worker(client, steps):
        done: TrainingDone = await (await start(client, asked)).result()
    assert done.outcome == "refused"
    assert done.reasons
    assert ledger.champions == [NO_TRADE]


async def decide(client, approval, by, *, approved):
    decision = ApprovalDecision(uuid4().hex, by, approved, "looked", None, datetime.now(UTC))
    handle = client.get_workflow_handle(approval_workflow_id("platform", approval))
    return await handle.execute_update(
        "decide", decision, id=decision.request_id, result_type=Answer
    )


@pytest.mark.parametrize("approved", [True, False])
async def test_what_passes_the_gate_waits_for_another_person(client, tmp_path, approved):
    ledger = FakeLedger()
    world, steps = World(client, queue=TRADING_QUEUE), PassingSteps(ledger)
    promoting = TrainingActivities(ledger, tmp_path, "code").promote_model
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    approval = f"promote-{asked.run_id}"
    worker = Worker(
        client,
        task_queue=LEARNING_QUEUE,
        workflows=[TrainingWorkflow],
        activities=[steps.plan, steps.trials, steps.judge, promoting],
        **worker_options(),
    )
    async with world.running(), worker:
        handle = await start(client, asked)
        await eventually(lambda: approval in world.journal.approvals, "another person is asked")
        alone = await decide(client, approval, "anna", approved=True)
        assert alone.code != "accepted"
        assert ledger.champions == [NO_TRADE]
        await decide(client, approval, "bert", approved=approved)
        done: TrainingDone = await handle.result()
    assert done.outcome == ("promoted" if approved else "declined")
    assert ledger.champions == ([NO_TRADE, asked.run_id] if approved else [NO_TRADE])
