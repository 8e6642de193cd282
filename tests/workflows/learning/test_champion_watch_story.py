"""The champion's watch on a real Temporal server and a real record: who fails is withdrawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from uuid import uuid4

import numpy as np
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text

from activities.adapters.postgres.audit import verify_chain
from activities.adapters.postgres.learning import champions
from activities.adapters.postgres.learning.ledger import PostgresTrainingLedger
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.learning.deciding import Decider
from activities.learning.keeping import ModelKeeper
from activities.learning.wanting import WantingActivities
from activities.learning.watching import WatchActivities
from activities.market.champion import ChampionJudge
from activities.ports.learning.models import LoggedPrediction
from activities.ports.learning.training import TrialKey
from api.queries.learning.drift import drift
from infra.runtime.database.connections import PLATFORM_SCOPE, Database, Role
from models.contracts.learning import (
    CHAMPION,
    NO_TRADE,
    PRIMARY_STRATEGY,
    UNREACHED,
    WATCH_QUEUE,
    ChampionWatched,
    FeaturesReplayed,
    Promotion,
    TrainingRequest,
    training_workflow_id,
)
from models.trading.ideas import Idea
from models.trading.market import Candle
from tests.support.learning.champions import DAY, FIRST, days, document
from tests.support.learning.training import FakeRegistry
from tests.support.lifting import approve_model
from workers.learning import watch_worker
from workflows.learning.watching import ChampionWatchWorkflow, FeatureReplayWorkflow

RIGHT = np.random.default_rng(4).random(40) < 0.65
INSTALLATION = "04d308de-35e9-4ff4-915f-1a4d4d26a682"


class Signed:
    def verifies(self, text: str, signature: str) -> bool:
        return signature == f"signed {len(text)}"


def sign(words: str) -> str:
    return f"signed {len(words)}"


class Platform:
    """The record as the market and as the learning process see it, with one registered champion."""

    def __init__(self, postgres, name: str) -> None:
        self.owner = postgres.url("postgres", name)
        self.learning = Database(postgres.url(Role.LEARNING, name))
        self.market = Database(postgres.url(Role.MARKET, name))
        self.admin = Database(postgres.url(Role.ADMIN, name))
        self.registry = FakeRegistry()
        self.record = PostgresModelRecord(self.learning)
        self.decisions = PostgresModelRecord(self.market)
        self.keeper = ModelKeeper(self.registry, self.record, sign, "code")
        self.model = None
        self.now = datetime.now(UTC)
        self.steps = WatchActivities(
            self.record,
            self.keeper,
            Signed(),
            partial(champions.roll_back, self.learning, "aether"),
            lambda: self.now,
        )
        self.wanting = WantingActivities(self.record, self.registry, Signed(), lambda: self.now)

    async def promote(self, run_id: str, **changes: object) -> None:
        await self.keeper.keep_no_trade()
        made = document(data_hash=uuid4().hex, **changes)
        self.model = await self.keeper.keep(run_id, made, {}, passed=True)
        approve_model(self.owner, run_id)
        await champions.promote(self.learning, Promotion(run_id, "bert", "better"))
        await self.keeper.bring_aliases_in_line()

    async def decided(self, number: int, *, symbol: str, wins: bool, **changes: object) -> None:
        """Let a decision of a day be logged, and the days after it be what came of it."""
        start = FIRST + 2 * DAY * number
        logged = LoggedPrediction(
            f"idea-{symbol}-{number}", self.model.version, self.model.feature_hash, symbol, start,
            probability=0.65, stake=0.05, taken=True,
        )  # fmt: skip
        await self.decisions.log_prediction(replace(logged, **changes))
        after = Decimal(120) if wins else Decimal(80)
        opened = Decimal(100)
        bars = [
            Candle(symbol, 1440, start, opened, opened, opened, opened, Decimal(1), 1),
            Candle(symbol, 1440, start + DAY, opened, max(opened, after), min(opened, after),
                   opened, Decimal(1), 1),
        ]  # fmt: skip
        await self.decisions.save_bars(bars)

    async def close(self) -> None:
        for database in (self.learning, self.market, self.admin):
            await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def platform(postgres):
    made = Platform(postgres, postgres.new_database())
    yield made
    await made.close()


async def watch(client, platform, workflow=ChampionWatchWorkflow):
    async with watch_worker(client, platform.steps, platform.wanting):
        return await client.execute_workflow(
            workflow.run, id=f"look/{uuid4().hex}", task_queue=WATCH_QUEUE
        )


async def test_signal_that_flips_is_withdrawn_by_itself(client, platform):
    await platform.promote("run-1")
    await platform.promote("run-2")
    for number in range(40):  # as good as its record
        await platform.decided(number, symbol="AAA/USD", wins=bool(RIGHT[number]))
    found: ChampionWatched = await watch(client, platform)
    assert (found.champion, found.alarm, found.decisions) == ("run-2", "", 40)
    for number in range(40, 80):  # and as bad as that
        await platform.decided(number, symbol="AAA/USD", wins=not RIGHT[number - 40])
    found = await watch(client, platform)
    assert found.alarm
    # Back to the champion before it; the registry follows, the record tells who and why.
    assert found.champion == "run-1"
    assert (await platform.decisions.champion()).run_id == "run-1"
    one = await platform.record.model_of("run-1")
    assert platform.registry.aliases[CHAMPION] == one.version
    assert (await verify_chain(platform.admin, PLATFORM_SCOPE)).intact
    rows = await platform.admin.call(
        text("SELECT reason, changed_by FROM champions ORDER BY number DESC LIMIT 1")
    )
    assert (rows[0].reason, rows[0].changed_by) == (found.alarm, "aether")


@pytest.mark.parametrize("meanwhile", ["promoted", "withdrawn"])
async def test_alarm_withdraws_nobody_who_was_not_judged(client, platform, meanwhile):
    await platform.promote("run-0")
    await platform.promote("run-1")
    platform.now += timedelta(days=91)
    judge = platform.steps._judge

    async def slowly(champion):
        found = await judge(champion)
        if meanwhile == "promoted":
            approve_model(platform.owner, "run-2")
            await champions.promote(platform.learning, Promotion("run-2", "bert", "better"))
        else:
            await champions.roll_back(platform.learning, "aether", "seen", expected=champion.number)
        return found

    platform.steps._judge = slowly
    found = await watch(client, platform)
    expected = {"promoted": "run-2", "withdrawn": "run-0"}[meanwhile]
    assert (found.champion, found.alarm) == (expected, "")
    assert (await platform.decisions.champion()).run_id == expected


@pytest.mark.parametrize("case", ["hard", "row", "expired", "damaged", "unsigned"])
async def test_hard_facts_withdraw_without_any_outcome(client, platform, case):
    await platform.promote("run-1")
    if case == "hard":
        await platform.decided(
            0, symbol="BBB/USD", wins=True, probability=None, stake=None, taken=False,
            refusal="the prediction is no probability", hard=True,
        )  # fmt: skip
    elif case == "row":
        for number in range(5):
            await platform.decided(
                number, symbol="BBB/USD", wins=True, probability=None, stake=None, taken=False,
                refusal="stale or unknown: return_1",
            )  # fmt: skip
    elif case == "expired":
        platform.now += timedelta(days=91)
    elif case == "damaged":
        platform.registry.documents[platform.model.version] = b"{}"
    else:
        platform.steps._signatures = type("No", (), {"verifies": lambda *_: False})()
    found = await watch(client, platform)
    assert found.champion == NO_TRADE
    assert found.alarm
    again = await watch(client, platform)
    assert (again.champion, again.alarm) == (NO_TRADE, "")


async def test_replay_confirms_what_was_seen_and_names_a_planted_difference(client, platform):
    await platform.promote("run-1")
    await trained(platform, timedelta(0))
    market = [*days("BTC/USD"), *days("ETH/USD", seed=2)]
    judge = ChampionJudge(
        platform.decisions, platform.registry, Signed(), INSTALLATION, True, lambda: platform.now
    )
    for bar in market:
        judge.take(bar)
    last = market[-1].start
    idea = Idea(
        "primary", PRIMARY_STRATEGY, "1", "ETH/USD", last, last + 2 * DAY,
        Decimal(90), Decimal(120), None,
    )  # fmt: skip
    await judge.load()
    (taken,) = await judge.judge([idea], last + DAY)
    found: FeaturesReplayed = await watch(client, platform, FeatureReplayWorkflow)
    assert (found.compared, found.differing) == (1, ())
    # A decision that saw another volume than the record holds.
    logged = (await platform.record.logged_vectors(platform.now - DAY))[0]
    vector = list(logged.vector)
    vector[-1] *= 1 + 1e-6
    planted = LoggedPrediction(
        "planted", platform.model.version, logged.feature_hash, "ETH/USD", last, tuple(vector),
        probability=0.6, stake=0.01,
    )  # fmt: skip
    await platform.decisions.log_prediction(planted)
    found = await watch(client, platform, FeatureReplayWorkflow)
    assert (found.compared, found.differing) == (2, ("planted",))
    assert taken.idea_id != "planted"
    async with platform.admin.account_scope(PLATFORM_SCOPE) as session:
        counted = text("SELECT count(*) FROM audit_log WHERE action = 'features_differ'")
        assert (await session.sql(counted)).scalar_one() == 1
    stored = await platform.admin.call(
        text("SELECT differing, compared FROM feature_replays ORDER BY number DESC LIMIT 1")
    )
    assert stored[0].differing == ["planted"]


async def test_registry_that_is_away_for_a_while_withdraws_nobody(client, platform):
    await platform.promote("run-1")
    for number in range(6):
        await platform.decided(
            number, symbol="BBB/USD", wins=True, probability=None, stake=None, taken=False,
            refusal=f"{UNREACHED}: the registry of models does not answer",
        )  # fmt: skip
    found = await watch(client, platform)
    assert (found.champion, found.alarm) == ("run-1", "")


async def trained(platform, ago: timedelta) -> None:
    """Let the newest training have begun so long ago, by the clock of the watch."""
    asked = TrainingRequest(uuid4().hex[:12], "anna", "try")
    await PostgresTrainingLedger(platform.learning).begin_run(
        asked, TrialKey("data", "question"), "f", "c", 10, 2
    )
    platform.now = datetime.now(UTC) + ago


async def test_training_begins_by_itself_when_the_last_is_too_long_ago(client, platform):
    await trained(platform, timedelta(days=29))
    assert (await platform.wanting.training_wanted_now()).request is None
    await trained(platform, timedelta(days=31))
    await watch(client, platform, FeatureReplayWorkflow)
    run = training_workflow_id(f"schedule-{platform.now:%Y%m%d}")
    handle = client.get_workflow_handle(run)
    described = await handle.describe()
    assert described.workflow_type == "TrainingWorkflow"
    # The same night once more: it runs already, and once is enough.
    await watch(client, platform, FeatureReplayWorkflow)
    await handle.terminate("seen")


async def test_drift_asks_for_a_training_and_withdraws_nobody(client, platform):
    width = len(document().features)
    edges = tuple(tuple(np.linspace(-1, 1, 9).tolist()) for _ in range(width))
    await platform.promote("run-1", edges=edges, evidence=500.0)
    await trained(platform, timedelta(days=10))
    for number in range(80):
        await platform.decided(
            number, symbol="CCC/USD", wins=bool(RIGHT[number % 40]), vector=(5.0,) * width
        )
    wanted = (await platform.wanting.training_wanted_now()).request
    assert wanted.by == "drift"
    assert "return_1 " in wanted.reason
    assert (await platform.decisions.champion()).run_id == "run-1"
    shown = await drift(platform.admin)
    assert (shown.model, shown.vectors, shown.unknown) == ("run-1", 80, "")
    assert len(shown.features) == width
    assert all(one.moved and one.index > one.limit for one in shown.features)


async def test_drift_is_measured_each_night_and_never_guessed(client, platform):
    assert "no nightly run" in (await drift(platform.admin)).unknown
    width = len(document().features)
    rng = np.random.default_rng(3)
    edges = tuple(tuple(row) for row in np.quantile(
        rng.normal(0, 1, (3_000, width)), np.arange(1, 10) / 10, axis=0).T.tolist())  # fmt: skip
    # A training is due anyway: the drift is measured all the same.
    await platform.wanting.training_wanted_now()
    assert (await drift(platform.admin)).unknown == "no trade learnt from no feature"
    await platform.promote("run-1", edges=edges, evidence=500.0)
    gone = await drift(platform.admin)
    assert "measured of no-trade, which is champion no more" in gone.unknown
    for number in range(30):
        vector = (4.0, *rng.normal(0, 1, width - 1).tolist())
        await platform.decided(number, symbol="DDD/USD", wins=True, vector=vector)
    await platform.wanting.training_wanted_now()
    few = await drift(platform.admin)
    assert (few.unknown, few.features) == ("30 seen, 60 are needed", [])
    for number in range(30, 100):
        vector = (4.0, *rng.normal(0, 1, width - 1).tolist())
        await platform.decided(number, symbol="DDD/USD", wins=True, vector=vector)
    platform.now += timedelta(minutes=1)
    await platform.wanting.training_wanted_now()
    found = await drift(platform.admin)
    assert (found.vectors, found.unknown) == (100, "")
    # The farthest comes first, and nothing else has moved.
    assert [one.feature for one in found.features if one.moved] == [document().features[0]]
    assert found.features[0].moved
    with psycopg.connect(platform.owner) as connection:
        connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        connection.execute("UPDATE audit_log SET recorded_at = recorded_at - interval '3 days'")
    old = await drift(platform.admin)
    assert "measured 72 hours ago" in old.unknown
    assert old.features == []


def test_decider_refuses_a_model_of_other_features():
    with pytest.raises(ValueError, match="other features"):
        Decider(document(feature_hash="x"))
