"""Watching the champion: outcomes, hard facts, its watch, its age; and withdrawing it by itself.

Everything is computed anew from the record each time, so a killed look loses nothing and a repeated
one comes to the same. What is withdrawn stops deciding with the next decision: the market worker
asks the record who is champion each time.
"""

import asyncio
import hashlib
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np
import structlog
from temporalio import activity

from activities.heartbeat import heartbeating
from activities.learning.deciding import ModelRefusedError, bars_until, checked_document
from activities.learning.keeping import ModelKeeper
from activities.learning.replaying import Replay, replay_vectors
from activities.ports.learning.models import (
    ChampionInForce,
    LoggedPrediction,
    RegisteredModel,
    ResolvedPrediction,
    Signatures,
)
from models.contracts.learning import (
    NO_TRADE,
    REFERENCE_SYMBOL,
    UNREACHED,
    ChampionWatched,
    FeaturesReplayed,
)
from models.learning.estimators.portable import ModelDocument
from models.learning.features.catalogue import daily_features
from models.learning.labels.exits import UNRESOLVED, label_entries
from models.learning.training.exits import EXITS
from models.learning.watching.champion import Decided, Watch, make_watch
from models.learning.watching.cusum import WatchError
from models.trading.market import Candle

log = structlog.get_logger(__name__)

DAY_MINUTES = 1440
DAY = timedelta(days=1)
FEWEST_COSTS, SURE = 10, 2.326
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""A version's trades are its own from the beginning, whatever the market's clock says."""
REFUSALS_IN_A_ROW = 5
LONGEST_BLOCK = 60
REPLAYED = timedelta(days=8)
"""A nightly replay looks back further than a night: one that was missed is made up for."""


class WatchedRecord(Protocol):
    """What the watch reads and writes; OSError where the record does not answer."""

    async def champion(self) -> ChampionInForce:
        """Return who decides now."""
        ...

    async def model_of(self, run_id: str) -> RegisteredModel | None:
        """Return the model of a run."""
        ...

    async def note_model(self, model: RegisteredModel) -> None:
        """Write down what pins a model, once."""
        ...

    async def name_challenger(self, model: RegisteredModel) -> None:
        """Tell the audit of a challenger, once."""
        ...

    async def unresolved(self) -> Sequence[tuple[str, str, datetime]]:
        """Return idea, pair and bar of each decision whose outcome is not known."""
        ...

    async def save_outcome(self, idea_id: str, net: float, ended_at: datetime) -> None:
        """Write down what came of a decision, once."""
        ...

    async def decisions(self, version: int, since: datetime) -> Sequence[ResolvedPrediction]:
        """Return the decisions of a version since a time, oldest first."""
        ...

    async def costs_of(self, version: int, since: datetime) -> Sequence[float]:
        """Return what each settled trade of a model has cost, a share of what it traded."""
        ...

    async def logged_vectors(self, since: datetime) -> Sequence[LoggedPrediction]:
        """Return the decisions since a time with the vectors that they saw."""
        ...

    async def bars(self, symbol: str, minutes: int, first: datetime) -> list[Candle]:
        """Return the recorded bars of a pair from a time on."""
        ...

    async def note_replay(
        self,
        began_at: datetime,
        compared: int,
        unavailable: int,
        differing: list[str],
        worst: float,
    ) -> None:
        """Write down what a replay found."""
        ...


class Withdrawn(Protocol):
    """What came of a withdrawal; not ``done`` where another champion was named meanwhile."""

    @property
    def done(self) -> bool:
        """Tell whether this withdrew the champion."""
        ...


class RollBack(Protocol):
    """Withdraws the champion of a number and no other, audited, for the reason given."""

    def __call__(self, reason: str, *, expected: int) -> Awaitable[Withdrawn]:
        """Put the champion before it in force again."""
        ...


class WatchActivities:
    """Look at the champion, and replay what decisions saw."""

    def __init__(
        self,
        record: WatchedRecord,
        keeper: ModelKeeper,
        signatures: Signatures,
        roll_back: RollBack,
        now: Callable[[], datetime],
    ) -> None:
        self._record = record
        self._keeper = keeper
        self._signatures = signatures
        self._roll_back = roll_back
        self._now = now
        self._watches: dict[int, Watch] = {}

    @activity.defn
    async def watch_champion(self) -> ChampionWatched:
        """Find outcomes, judge the champion, and withdraw it where it fails."""
        async with heartbeating():
            await self._keeper.keep_no_trade()
            champion = await self._record.champion()
            decided, alarm = 0, ""
            if champion.run_id != NO_TRADE:
                await self._resolve()
                decided, alarm = await self._judge(champion)
            if alarm:
                log.warning("champion is to be withdrawn", champion=champion.run_id, why=alarm)
                withdrawn = await self._roll_back(alarm, expected=champion.number)
                if not withdrawn.done:
                    # Who is in force now was not judged here: the next look does that.
                    log.warning("another champion was named meanwhile", champion=champion.run_id)
                    alarm = ""
            await self._keeper.bring_aliases_in_line()
        return ChampionWatched((await self._record.champion()).run_id, decided, alarm)

    @activity.defn
    async def replay_features(self) -> FeaturesReplayed:
        """Compute what decisions of late saw again, and alert on any difference."""
        async with heartbeating():
            began = self._now()
            logged = await self._record.logged_vectors(began - REPLAYED)
            found = await self._replayed(logged)
            differing = list(found.differing)
            if differing:
                log.error("features differ from their replay", ideas=differing, worst=found.worst)
            await self._record.note_replay(
                began, found.compared, found.unavailable, differing, found.worst
            )
        return FeaturesReplayed(found.compared, found.unavailable, found.differing)

    async def _replayed(self, logged: Sequence[LoggedPrediction]) -> Replay:
        features = daily_features()
        if not logged:
            return Replay()
        first = min(one.bar_start for one in logged) - DAY * features.lookback
        symbols = {REFERENCE_SYMBOL, *(one.symbol for one in logged)}
        bars = {name: await self._record.bars(name, DAY_MINUTES, first) for name in symbols}
        return await asyncio.to_thread(replay_vectors, features, logged, bars)

    async def _resolve(self) -> None:
        """Write down what came of decisions whose exits have ended since."""
        bars: dict[str, list[Candle]] = {}
        for idea, symbol, start in await self._record.unresolved():
            if symbol not in bars:
                bars[symbol] = await self._record.bars(symbol, DAY_MINUTES, start)
            outcome = outcome_of(start, bars[symbol])
            if outcome is not None:
                await self._record.save_outcome(idea, *outcome)

    async def _judge(self, champion: ChampionInForce) -> tuple[int, str]:
        if champion.model is None:
            return 0, "hard fact: the record has no model of the champion"
        decisions = await self._record.decisions(champion.model.version, champion.since)
        known = [
            Decided(one.probability, one.net, one.taken)
            for one in decisions
            if one.probability is not None and one.net is not None
        ]
        costs = await self._record.costs_of(champion.model.version, BEGINNING)
        hard = hard_fact(decisions) or costlier_than_modelled(costs)
        if hard:
            return len(known), hard
        try:
            document = await self._document(champion.model)
            watch = await asyncio.to_thread(self._watch, champion.model, document)
            alarm = watch.alarm(known)
        except (ModelRefusedError, WatchError) as error:
            # Whoever cannot be watched does not trade.
            return len(known), f"hard fact: {error}"
        life = timedelta(days=document.expires_after_days)
        if not alarm and self._now() > champion.since + life:
            alarm = f"its time of {document.expires_after_days} days is up"
        return len(known), alarm

    async def _document(self, model: RegisteredModel) -> ModelDocument:
        content = await self._keeper.registry.content(model.version)
        return await asyncio.to_thread(checked_document, content, model, self._signatures)

    def _watch(self, model: RegisteredModel, document: ModelDocument) -> Watch:
        watch = self._watches.get(model.version)
        if watch is None:
            watch = watch_of(document, model.sha256)
            self._watches = {model.version: watch}
        return watch


def watch_of(document: ModelDocument, sha256: str) -> Watch:
    """Return the watch of a model: the same model gives the same thresholds.

    Raise `WatchError` where its record is too short.
    """
    seed = int(hashlib.sha256(sha256.encode()).hexdigest()[:12], 16)
    losses = np.asarray(document.baseline.losses, dtype=np.float64)
    results = np.asarray(document.baseline.results, dtype=np.float64)
    # Decisions of fifteen days share their answers.
    block = min(LONGEST_BLOCK, EXITS.longest_bars, max(1, results.size // 10))
    return make_watch(losses, results, np.random.default_rng(seed), block)


def hard_fact(decisions: Sequence[ResolvedPrediction]) -> str:
    """Return what a healthy champion never does, "" where nothing is: no outcome is needed."""
    for one in decisions:
        if one.hard:
            return f"hard fact: {one.refusal}"
    # A registry that restarts says nothing of the model, which was not even asked.
    asked = [one for one in decisions if not one.refusal.startswith(UNREACHED)]
    newest = asked[-REFUSALS_IN_A_ROW:]
    if len(newest) == REFUSALS_IN_A_ROW and all(one.refusal for one in newest):
        return f"hard fact: {REFUSALS_IN_A_ROW} refusals in a row, last: {newest[-1].refusal}"
    return ""


def costlier_than_modelled(costs: Sequence[float]) -> str:
    """Return that trades cost more than the model was trained with, "" where that is not shown.

    `costs` are fees and slippage as a share of what was traded, by trade. Shown it is where even
    the lower bound (99 %, normal) of their mean lies above.
    """
    if len(costs) < FEWEST_COSTS:
        return ""
    paid = np.asarray(costs, dtype=np.float64)
    modelled = (EXITS.entry_cost + EXITS.exit_cost) / 2
    bound = float(paid.mean() - SURE * paid.std(ddof=1) / math.sqrt(paid.size))
    if not bound > modelled:
        return ""
    return (
        f"hard fact: fills cost {paid.mean():.2%} of what was traded over {paid.size} trades, "
        f"modelled are {modelled:.2%}"
    )


def outcome_of(start: datetime, bars: Sequence[Candle]) -> tuple[float, datetime] | None:
    """Return what an entry after the day that began at `start` came to, None while it is open."""
    longest = EXITS.longest_bars
    table = bars_until(start + DAY * longest, longest + 1, bars, ())
    last = max((bar.start for bar in bars), default=start)
    labels = label_entries(table.open, table.high, table.low, table.close, EXITS)
    if labels.outcome[0] == UNRESOLVED:
        return None
    ended = start + DAY * int(labels.end[0])
    # A day is over with its bar; a later one may still come.
    return (float(labels.net[0]), ended) if last >= ended - DAY else None
