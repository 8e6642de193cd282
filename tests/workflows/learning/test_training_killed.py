"""A training whose worker dies in every step, before its work and after it, ends as any other."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, Interceptor, Worker

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.learning.keeping import KeepingActivities, ModelKeeper
from activities.learning.training import TrainingActivities
from activities.ports.learning.training import HoldoutOpening
from infra.runtime.temporal.workers import worker_options
from models.contracts.approvals import ApprovalDecision
from models.contracts.learning import (
    LEARNING_QUEUE,
    NO_TRADE,
    TrainingDone,
    TrainingJudged,
    TrainingRequest,
    training_workflow_id,
)
from models.contracts.names import TRADING_QUEUE, approval_workflow_id
from models.trading.answers import Answer
from tests.support.learning.training import (
    TRIALS,
    FakeLedger,
    FakeModels,
    FakeRegistry,
    challenging_for,
    locked_question,
    shadowing_for,
    write_market,
)
from tests.support.temporal import World, eventually
from workflows.learning.training import TrainingWorkflow

STEPS = (
    "plan_training",
    "run_trials",
    "run_challengers",
    "judge_training",
    "keep_model",
    "open_holdout",
    "look_at_shadow",
    "promote_model",
)


class Deaths(Interceptor):
    """Kill the worker once before each step's work and once after it: nothing is reported."""

    def __init__(self) -> None:
        self.done: set[tuple[str, str]] = set()
        self.struck = asyncio.Event()

    def intercept_activity(self, next):  # noqa: A002 the SDK's name
        return _Dying(next, self)

    async def die(self, step: str, moment: str) -> None:
        if (step, moment) not in self.done:
            self.done.add((step, moment))
            self.struck.set()
            await asyncio.Event().wait()


class _Dying(ActivityInboundInterceptor):
    def __init__(self, inner: ActivityInboundInterceptor, deaths: Deaths) -> None:
        super().__init__(inner)
        self._deaths = deaths

    async def execute_activity(self, input):  # noqa: A002 the SDK's name
        step = activity.info().activity_type
        await self._deaths.die(step, "before")
        found = await super().execute_activity(input)
        await self._deaths.die(step, "after")
        return found


class LuckyTraining(TrainingActivities):
    """The real steps; the gate is told to pass whoever is best, for the sake of the steps after."""

    @activity.defn(name="judge_training")
    async def pass_anyway(self, request: TrainingRequest, data_hash: str) -> TrainingJudged:
        judged = await self.judge_training(request, data_hash)
        # On a walk at random no trial may have taken a trade.
        return TrainingJudged(True, judged.candidate or TRIALS[0].describe(), ())


class KindLedger(FakeLedger):
    """A ledger whose hold-out says yes, whatever the walk at random has done in it."""

    async def note_opening(self, release, run_id, data_hash, result) -> HoldoutOpening:
        self.looks.append(result)
        return self.openings.setdefault(release, HoldoutOpening(run_id, ""))


class Record:
    """What outlives a process: ledger, registry and record."""

    def __init__(self) -> None:
        self.ledger = KindLedger()
        self.registry = FakeRegistry()
        self.models = FakeModels()
        self.shadowing = shadowing_for()

    @asynccontextmanager
    async def process(self, client, directory, deaths):
        """Run a learning process that knows nothing but the record and the data."""
        training = LuckyTraining(self.ledger, directory, read_snapshot, "code", locked_question)
        keeper = ModelKeeper(self.registry, self.models, lambda text: "signature", "code")
        keeping = KeepingActivities(training, keeper)
        worker = Worker(
            client,
            task_queue=LEARNING_QUEUE,
            workflows=[TrainingWorkflow],
            activities=[
                training.plan_training,
                training.run_trials,
                challenging_for(training).run_challengers,
                training.pass_anyway,
                keeping.keep_model,
                keeping.open_holdout,
                self.shadowing.look_at_shadow,
                keeping.promote_model,
            ],
            interceptors=[deaths],
            **worker_options(graceful_shutdown_timeout=timedelta(0)),
        )
        async with worker:
            yield


async def approve(client, world, approval: str) -> None:
    await eventually(lambda: approval in world.journal.approvals, "asked", 300)
    decision = ApprovalDecision(uuid4().hex, "bert", True, "looked", None, datetime.now(UTC))
    handle = client.get_workflow_handle(approval_workflow_id("platform", approval))
    await handle.execute_update("decide", decision, id=decision.request_id, result_type=Answer)


async def test_training_survives_a_kill_in_every_step(client, tmp_path):
    record, deaths, lives = Record(), Deaths(), 0
    directory = write_market(tmp_path, days=2_000)
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    world = World(client, queue=TRADING_QUEUE)
    async with world.running():
        handle = await client.start_workflow(
            TrainingWorkflow.run,
            asked,
            id=training_workflow_id(asked.run_id),
            task_queue=LEARNING_QUEUE,
        )
        result = asyncio.create_task(handle.result())
        approval = asyncio.create_task(approve(client, world, f"promote-{asked.run_id}"))
        while not result.done():
            deaths.struck.clear()
            lives += 1
            async with record.process(client, directory, deaths):
                struck = asyncio.create_task(deaths.struck.wait())
                await asyncio.wait((struck, result), return_when=asyncio.FIRST_COMPLETED)
                struck.cancel()
                with suppress(asyncio.CancelledError):
                    await struck
        done: TrainingDone = await result
        approval.cancel()
    ledger = record.ledger
    assert (done.outcome, done.reasons) == ("promoted", ())
    assert deaths.done == {(step, moment) for step in STEPS for moment in ("before", "after")}
    assert lives == 2 * len(STEPS) + 1
    # Nothing was done twice, nothing was left out.
    assert len(ledger.added) == len(set(ledger.added)) == 3
    assert list(record.registry.runs) == [asked.run_id]
    assert len(ledger.looks) == 1
    assert ledger.champions == [NO_TRADE, asked.run_id]
