"""The champion at work: it judges the ideas of its primary strategy, takes some, and sizes them.

No trade is the default, and whatever is not known refuses: a model that is missing or not the one
that the record pins, a feature that is unknown or stale, a prediction that takes too long. Each
decision is written down with what it saw before it becomes an idea; what cannot be written down is
not taken. Numeric libraries are loaded with the first model, never for no trade, and no idea waits
for a model to be loaded.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter, Gauge, Histogram

from activities.market.deciders import Deciders, Loaded
from activities.ports.learning.models import (
    ChampionInForce,
    LoggedPrediction,
    ModelRecord,
    ModelRegistry,
    RegisteredModel,
    Signatures,
)
from models.contracts.learning import (
    LEARNED_STRATEGY,
    NO_TRADE,
    PRIMARY_STRATEGY,
    REFERENCE_SYMBOL,
)
from models.trading.ideas import Idea, StrategyStanding
from models.trading.identities import idea_id
from models.trading.market import Candle

if TYPE_CHECKING:
    from activities.learning.deciding import Decider

log = structlog.get_logger(__name__)

DAY = timedelta(days=1)
BARS_KEPT, UNSAVED_KEPT = 320, 20_000
PATIENCE = timedelta(hours=6)
"""Market time that an idea waits for the bar of the reference pair."""
LONGEST_MICROSECONDS = 250_000
SHADOW_SECONDS = 10.0
"""How long a model in shadow may take: ideas wait behind it."""
SIZE_STEP = Decimal("0.000001")

PREDICTION = Histogram(
    "aether_champion_prediction_seconds",
    "Time that a champion took from features to a stake",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
REFUSALS = Counter(
    "aether_champion_refusals", "Ideas that a champion could not judge, by cause", ("cause",)
)
AGE = Gauge(
    "aether_champion_age_seconds", "Since the champion in force was named; missing for no trade"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A prediction with its stake, or why there is none; ``cause`` is one word for a metric."""

    prediction: LoggedPrediction
    cause: str = ""


@dataclass(slots=True)
class ChampionJudge:
    """Judge ideas by whoever is champion at that moment.

    ``is_watched`` tells whether the process runs that watches champions and withdraws them;
    ``clock`` tells protocol time.
    """

    record: ModelRecord
    registry: ModelRegistry
    signatures: Signatures
    installation: str
    is_watched: bool
    clock: Callable[[], datetime]
    _bars: dict[str, deque[Candle]] = field(default_factory=dict)
    _unsaved: deque[Candle] = field(default_factory=lambda: deque(maxlen=UNSAVED_KEPT))
    _waiting: list[Idea] = field(default_factory=list)
    status: str = "no trade"
    _deciders: Deciders = field(init=False)

    def __post_init__(self) -> None:
        self._deciders = Deciders(self.record, self.registry, self.signatures)

    async def load(self) -> None:
        """Load who decides now; OSError where nobody knows who that is."""
        await self._deciders.load(of_champion=self.is_watched)

    async def keep_loaded(self) -> None:
        """Load whoever comes to decide, for ever; what is not there yet refuses meanwhile."""
        await self._deciders.keep(of_champion=self.is_watched)

    def pass_over(self, idea: Idea, why: str) -> None:
        """Say that an idea is not judged."""
        log.error("an idea is not judged", idea=idea.idea_id, why=why)
        self.status = f"an idea was not judged: {why}"
        REFUSALS.labels("waiting").inc()

    def take(self, bar: Candle) -> None:
        """Remember a closed bar of a day."""
        if timedelta(minutes=bar.interval_minutes) != DAY:
            return
        kept = self._bars.setdefault(bar.symbol, deque(maxlen=BARS_KEPT))
        if not kept or bar.start > kept[-1].start:
            kept.append(bar)
            self._unsaved.append(bar)

    async def judge(self, ideas: Iterable[Idea], now: datetime) -> list[Idea]:
        """Return the champion's own ideas on those of its primary; ``now`` is market time.

        An idea whose reference bar has not come yet waits for it, and is refused in the end.
        """
        due = [*self._waiting, *(idea for idea in ideas if idea.strategy == PRIMARY_STRATEGY)]
        self._waiting = []
        taken = []
        for idea in due:
            try:
                champion = await self.record.champion()
                shadow = await self.record.in_shadow()
            except OSError:
                log.warning("nobody knows who is champion", idea=idea.idea_id, exc_info=True)
                self.status = "the record does not answer"
                REFUSALS.labels("record").inc()
                continue
            decides = champion.run_id != NO_TRADE
            if not decides:
                self.status = "no trade"
            AGE.set((self.clock() - champion.since).total_seconds() if decides else float("nan"))
            if not decides and shadow is None:
                continue
            if self._must_wait(idea, now):
                self._waiting.append(idea)
                continue
            found = await self._decide(champion, idea) if decides else None
            if found is not None:
                taken.append(found)
            # After who trades, so that what is only watched holds no decision up.
            if shadow is not None:
                await self._decide_in_shadow(shadow, idea)
        return taken

    def _must_wait(self, idea: Idea, now: datetime) -> bool:
        bars = self._bars.get(REFERENCE_SYMBOL)
        is_there = bool(bars) and bars[-1].start >= idea.bar_start  # type: ignore[index]
        return not is_there and now < idea.bar_start + DAY + PATIENCE

    async def _decide_in_shadow(self, model: RegisteredModel, idea: Idea) -> None:
        """Write down what a model would decide; whatever it does, it holds nothing up."""
        try:
            async with asyncio.timeout(SHADOW_SECONDS):
                judged = await self._judged(self._deciders.of_shadow(model), model, idea)
                # Its stake tells what it would have taken.
                await self._write_down(replace(judged.prediction, taken=False, shadow=True))
        except Exception:
            log.warning("no decision in shadow", version=model.version, exc_info=True)

    async def _decide(self, champion: ChampionInForce, idea: Idea) -> Idea | None:
        judged = await self._judged(self._champions(champion), champion.model, idea)
        found = judged.prediction
        self.status = found.refusal or f"version {found.version} decides"
        if judged.cause:
            REFUSALS.labels(judged.cause).inc()
            log.warning("champion refuses", idea=found.idea_id, why=found.refusal)
        try:
            await self._write_down(found)
        except OSError:
            log.exception(
                "a decision could not be written down and is not taken", idea=found.idea_id
            )
            REFUSALS.labels("record").inc()
            return None
        return _idea(idea, found) if found.taken else None

    def _champions(self, champion: ChampionInForce) -> Loaded:
        number, model = champion.number, champion.model
        if not self.is_watched:
            return Loaded(number, None, "nobody watches the champion: learning is off")
        if model is None:
            return Loaded(number, None, f"the record has no model of {champion.run_id}")
        return self._deciders.of_champion(champion, model)

    async def _write_down(self, found: LoggedPrediction) -> None:
        saved = tuple(self._unsaved)
        await self.record.save_bars(saved)
        # Only those: others may have closed meanwhile.
        for bar in saved:
            if self._unsaved and self._unsaved[0] is bar:
                self._unsaved.popleft()
        await self.record.log_prediction(found)

    async def _judged(self, loaded: Loaded, model: RegisteredModel | None, idea: Idea) -> Judged:
        version = 0 if model is None else model.version
        own = _own_id(self.installation, idea, version)
        if loaded.decider is not None and model is not None:
            return await self._predict(loaded.decider, model, own, idea)
        pinned = "" if model is None else model.feature_hash
        refused = LoggedPrediction(
            own, version, pinned, idea.symbol, idea.bar_start, refusal=loaded.refusal,
            hard=loaded.hard,
        )  # fmt: skip
        return Judged(refused, "model")

    async def _predict(
        self, decider: "Decider", model: RegisteredModel, own: str, idea: Idea
    ) -> Judged:
        bars = tuple(self._bars.get(idea.symbol, ()))
        reference = tuple(self._bars.get(REFERENCE_SYMBOL, ()))

        def decide() -> tuple[Judged, float]:
            began = time.perf_counter()
            words = own, model.version, idea.symbol, idea.bar_start, bars, reference
            return decider.decide(*words), time.perf_counter() - began

        # In a thread of its own: prices come in while a model computes.
        judged, took = await asyncio.to_thread(decide)
        PREDICTION.observe(took)
        timed = replace(judged.prediction, microseconds=round(took * 1e6))
        if timed.microseconds > LONGEST_MICROSECONDS and not timed.refusal:
            why = f"the prediction took {took:.3f} s, more than {LONGEST_MICROSECONDS / 1e6} s"
            return Judged(replace(timed, taken=False, refusal=why), "slow")
        return Judged(timed, judged.cause)


def _own_id(installation: str, idea: Idea, version: int) -> str:
    start = idea.bar_start.isoformat()
    return idea_id(installation, LEARNED_STRATEGY, str(version), idea.symbol, start)


def _idea(primary: Idea, found: LoggedPrediction) -> Idea:
    """Return the champion's idea: the primary's exits, with the model's own size and pins."""
    assert found.probability is not None
    assert found.stake is not None
    share = Decimal(repr(found.stake)).quantize(SIZE_STEP)
    largest = sorted(found.contributions.items(), key=lambda one: -abs(one[1]))[:3]
    why = ", ".join(f"{name} {value:+.2f}" for name, value in largest)
    return replace(
        primary,
        idea_id=found.idea_id,
        strategy=LEARNED_STRATEGY,
        strategy_version=f"{found.version}+{found.feature_hash[:12]}",
        standing=StrategyStanding.SHIPPED,
        equity_share=share,
        model=str(found.version),
        feature_hash=found.feature_hash,
        reasons=(
            *primary.reasons,
            f"model {found.version}: probability {found.probability:.3f}, {share:.2%} of equity",
            f"of the model, not of the market: {why}",
            f"regime: {found.regime or 'not known'}",
        ),
    )
