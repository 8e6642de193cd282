"""A champion that reads a signal, and a market in which that signal holds or turns.

The market's part is played with the market's own judge: days come, an idea is judged by whoever is
champion at that moment, and what comes of it is what the model said, or its opposite.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from sqlalchemy import text

from activities.adapters.mlflow.registry import MlflowRegistry
from activities.adapters.postgres.learning import champions
from activities.adapters.postgres.learning.models import PostgresModelRecord
from activities.market.champion import ChampionJudge
from infra.runtime.database.connections import Database, Role
from infra.runtime.model_keys import ModelSignatures
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.contracts.learning import PRIMARY_STRATEGY, REFERENCE_SYMBOL, Promotion
from models.learning.estimators.portable import Baseline, ModelDocument
from models.learning.estimators.staking import sized_stake
from models.learning.labels.size import Odds
from models.learning.watching.champion import log_losses
from models.trading.ideas import Idea
from tests.support.learning.champions import DAY, days, document
from tests.support.lifting import approve_model
from tests.support.postgres import PostgresServer
from workers.learning import model_keeper

INSTALLATION = "04d308de-35e9-4ff4-915f-1a4d4d26a682"
PAIR = "ETH/USD"
KNOWN_DAYS = 150
"""What the features look back on before the first decision."""
STRENGTH = 55.0
"""Log-odds for a log return of one day: about 1.1 for what is usual."""
INTERCEPT, WIN, LOSS = -0.6, 0.14, 0.09
TARGET_PASSED, STOP_PASSED = Decimal("1.2"), Decimal("0.8")


def signalling(seed: int) -> ModelDocument:
    """Return a model that reads a return as odds, with the record of one that reads it rightly."""
    plain = document()
    weights = [0.0] * len(plain.features)
    weights[plain.features.index("return_1")] = STRENGTH
    member = {"kind": "logistic", "intercept": INTERCEPT, "coefficients": weights}
    rng = np.random.default_rng(seed)
    said = 1 / (1 + np.exp(-(INTERCEPT + rng.normal(0, 1.1, 1_000))))
    wins = rng.random(said.size) < said
    odds = Odds(WIN, LOSS, 0.0)
    taken = np.array([sized_stake(float(p), plain.evidence, odds, 0.1) > 0 for p in said])
    results = np.where(wins, WIN, -LOSS)[taken]
    return replace(
        plain,
        data_hash=f"{seed:064x}",
        members=(member,),
        baseline=Baseline(tuple(log_losses(said, wins).tolist()), tuple(results.tolist())),
    )


@dataclass
class Decision:
    """What the champion of that day decided."""

    version: int
    probability: float
    taken: bool


class Play:
    """The record and the registry of one installation, and the market that its champion judges."""

    def __init__(self, postgres: PostgresServer, name: str, settings: Settings) -> None:
        self.owner = postgres.url("postgres", name)
        self.learning = Database(postgres.url(Role.LEARNING, name))
        self.market = Database(postgres.url(Role.MARKET, name))
        self.admin = Database(postgres.url(Role.ADMIN, name))
        self.keeper = model_keeper(settings, self.learning)
        self.record = PostgresModelRecord(self.market)
        token = StateDirectory(settings.home).registry_token
        self.registry = MlflowRegistry(settings.registry_url, token)
        self.judge = ChampionJudge(
            self.record,
            self.registry,
            ModelSignatures(settings.home),
            INSTALLATION,
            is_watched=True,
            clock=lambda: datetime.now(UTC),
        )
        self._pair, self._reference = days(PAIR, 800), days(REFERENCE_SYMBOL, 800, seed=2)
        self._rng = np.random.default_rng(11)
        self._day = 0
        for _ in range(KNOWN_DAYS):
            self._pass_day(None)

    async def promote(self, run_id: str, model: ModelDocument) -> int:
        """Register a model in MLflow and make it champion, approved by a person."""
        await self.keeper.keep_no_trade()
        kept = await self.keeper.keep(run_id, model, {}, passed=True)
        approve_model(self.owner, run_id)
        await champions.promote(self.learning, Promotion(run_id, "bert", "better"))
        await self.keeper.bring_aliases_in_line()
        return kept.version

    async def decide(self, *, flipped: bool) -> Decision | None:
        """Let one idea be judged and the days after it tell; None where no model judges.

        The idea wins as often as the model says, `flipped` as often as it says it does not.
        """
        last = self._pair[self._day - 1]
        idea = Idea(
            f"idea-{self._day}", PRIMARY_STRATEGY, "1", PAIR, last.start, last.start + 2 * DAY,
            last.close * Decimal("0.92"), last.close * Decimal("1.15"), None,
        )  # fmt: skip
        await self.judge.load()  # beside the prices, in the running market
        taken = await self.judge.judge([idea], last.start + DAY)
        asked = text(
            "SELECT version, probability, taken, refusal FROM champion_predictions "
            "WHERE bar_start = :start"
        )
        rows = await self.market.call(asked, {"start": last.start})
        if not rows:
            self._pass_day(None)
            return None
        (row,) = rows
        assert not row.refusal
        assert bool(taken) == row.taken
        chance = float(row.probability)
        wins = self._rng.random() < (1 - chance if flipped else chance)
        self._pass_day(wins)
        self._pass_day(None)
        return Decision(row.version, chance, row.taken)

    def _pass_day(self, wins: bool | None) -> None:
        """Let a day close; one on which an entry ended touched its target or its stop."""
        bar = self._pair[self._day]
        if wins is not None:
            low, high = min(bar.open, bar.close), max(bar.open, bar.close)
            reached = (low, bar.open * TARGET_PASSED) if wins else (bar.open * STOP_PASSED, high)
            bar = replace(bar, low=reached[0], high=reached[1])
        self.judge.take(bar)
        self.judge.take(self._reference[self._day])
        self._day += 1

    async def close(self) -> None:
        for database in (self.learning, self.market, self.admin):
            await database.close()
