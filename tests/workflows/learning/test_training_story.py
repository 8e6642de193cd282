"""Stories of trainings on a real Temporal server: nobody is promoted past the gate or alone."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.worker import Worker

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.heartbeat import heartbeating
from activities.learning.training import TrainingActivities
from infra.runtime.temporal.workers import worker_options
from models.contracts.approvals import ApprovalDecision
from models.contracts.learning import (
    LEARNING_QUEUE,
    NO_TRADE,
    ChallengersJudged,
    HoldoutOpened,
    ModelKept,
    TrainingDone,
    TrainingJudged,
    TrainingPlanned,
    TrainingRequest,
    TrialsFinished,
    training_workflow_id,
)
from models.contracts.names import TRADING_QUEUE, approval_workflow_id
from models.trading.answers import Answer
from tests.support.learning.training import (
    FakeLedger,
    challenging_for,
    keeping_for,
    shadowing_for,
    short_question,
    write_market,
)
from tests.support.temporal import World, eventually
from workers.learning import learning_worker
from workflows.learning.training import TrainingWorkflow


class PassingSteps:
    """Steps whose gate says yes, over a ledger."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.ledger = ledger
        self.holdout = ""

    @activity.defn(name="plan_training")
    async def plan(self, _: TrainingRequest) -> TrainingPlanned:
        return TrainingPlanned("data", 1, 1)

    @activity.defn(name="run_trials")
    async def trials(self, _: TrainingRequest, __: str) -> TrialsFinished:
        return TrialsFinished(1, 1)

    @activity.defn(name="run_challengers")
    async def challengers(self, _: TrainingRequest, __: str) -> ChallengersJudged:
        return ChallengersJudged(1, ())

    @activity.defn(name="open_holdout")
    async def open(self, _: TrainingRequest, __: str, version: int) -> HoldoutOpened:
        assert version == 2
        return HoldoutOpened(not self.holdout, self.holdout)

    @activity.defn(name="judge_training")
    async def judge(self, _: TrainingRequest, __: str) -> TrainingJudged:
        return TrainingJudged(True, "committee", ())

    @activity.defn(name="keep_model")
    async def keep(self, _: TrainingRequest, __: str, ___: TrainingJudged) -> ModelKept:
        return ModelKept(2, "hash")


async def start(client, asked):
    return await client.start_workflow(
        TrainingWorkflow.run,
        asked,
        id=training_workflow_id(asked.run_id),
        task_queue=LEARNING_QUEUE,
    )


async def test_random_walk_is_refused_and_no_trade_stays(client, tmp_path):
    ledger = FakeLedger()
    steps = TrainingActivities(
        ledger, write_market(tmp_path), read_snapshot, "code", short_question
    )
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    others = keeping_for(steps), challenging_for(steps), shadowing_for()
    async with learning_worker(client, steps, *others):
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


def passing_worker(client, steps, *others):
    return Worker(
        client,
        task_queue=LEARNING_QUEUE,
        workflows=[TrainingWorkflow],
        activities=[
            steps.plan,
            steps.trials,
            steps.challengers,
            steps.judge,
            steps.keep,
            steps.open,
            *others,
        ],
        **worker_options(),
    )


async def test_model_that_fails_in_shadow_is_refused_and_nobody_is_asked(client):
    steps = PassingSteps(FakeLedger())
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    failing = shadowing_for("the prediction is no probability", wanted=3)
    async with passing_worker(client, steps, failing.look_at_shadow):
        done: TrainingDone = await (await start(client, asked)).result()
    assert done.outcome == "refused"
    assert done.reasons == ("shadow: hard fact: the prediction is no probability",)
    assert steps.ledger.champions == [NO_TRADE]


@pytest.mark.parametrize("approved", [True, False])
async def test_what_passes_the_gate_waits_for_another_person(client, tmp_path, approved):
    ledger = FakeLedger()
    world, steps = World(client, queue=TRADING_QUEUE), PassingSteps(ledger)
    keeping = keeping_for(TrainingActivities(ledger, tmp_path, read_snapshot, "code"))
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    approval = f"promote-{asked.run_id}"
    shadowing = shadowing_for(wanted=2)
    worker = passing_worker(client, steps, shadowing.look_at_shadow, keeping.promote_model)
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


class SlowSteps(PassingSteps):
    """Steps whose trials last until they are cancelled, or end well all the same."""

    def __init__(self, ledger: FakeLedger, *, ends_well: bool) -> None:
        super().__init__(ledger)
        self.ends_well = ends_well
        self.begun = asyncio.Event()

    @activity.defn(name="run_trials")
    async def trials(self, _: TrainingRequest, __: str) -> TrialsFinished:
        self.begun.set()
        try:
            async with heartbeating():
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not self.ends_well:
                raise
        return TrialsFinished(1, 1)


@pytest.mark.parametrize("ends_well", [True, False])
async def test_cancelled_training_stops_and_says_so(client, tmp_path, ends_well):
    ledger = FakeLedger()
    steps = SlowSteps(ledger, ends_well=ends_well)
    ending = TrainingActivities(ledger, tmp_path, read_snapshot, "code").end_training
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    shadowing = shadowing_for()
    async with passing_worker(client, steps, shadowing.look_at_shadow, ending):
        handle = await start(client, asked)
        await asyncio.wait_for(steps.begun.wait(), 30)
        await handle.cancel()
        done: TrainingDone = await handle.result()
    assert (done.outcome, done.reasons) == ("cancelled", ("cancelled by a person",))
    assert ledger.cancelled == [(asked.run_id, "trials")]


async def test_cancelled_while_it_waits_for_a_person_leaves_nothing_to_approve(client, tmp_path):
    ledger = FakeLedger()
    world, steps = World(client, queue=TRADING_QUEUE), PassingSteps(ledger)
    training = TrainingActivities(ledger, tmp_path, read_snapshot, "code")
    keeping = keeping_for(training)
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    approval = f"promote-{asked.run_id}"
    shadowing = shadowing_for(wanted=1)
    others = shadowing.look_at_shadow, keeping.promote_model, training.end_training
    async with world.running(), passing_worker(client, steps, *others):
        handle = await start(client, asked)
        await eventually(lambda: approval in world.journal.approvals, "another person is asked")
        await handle.cancel()
        done: TrainingDone = await handle.result()
        kept, _ = world.journal.approvals[approval]
    assert done.outcome == "cancelled"
    assert (kept.status.value, kept.reason) == ("lapsed", "what asked for it was cancelled")
    assert ledger.cancelled == [(asked.run_id, "waiting for another person")]
    assert ledger.champions == [NO_TRADE]
