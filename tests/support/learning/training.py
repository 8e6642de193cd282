"""A market in files, a short question, ledger and registry in memory, for stories of training."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from activities.learning.challenging import ChallengerActivities
from activities.learning.keeping import KeepingActivities, ModelKeeper
from activities.learning.shadowing import ShadowActivities
from activities.learning.training import TrainingActivities
from activities.ports.learning.models import ChampionInForce, RegisteredModel, ResolvedPrediction
from activities.ports.learning.shadow import Shadow
from activities.ports.learning.training import HoldoutOpening, LedgerTrial, TrialKey
from models.contracts.learning import NO_TRADE, Promotion, TrainingRequest
from models.learning.challengers.tabular import Tabular
from models.learning.estimators.estimator import EstimatorSpec
from models.learning.training.daily import EXITS
from models.learning.training.question import Question
from models.learning.validation.gate import GateLimits, GateReport

DAY = 86_400
TRIALS = tuple(EstimatorSpec("logistic", {"penalty": penalty}) for penalty in (1, 100))


def short_question() -> Question:
    """Return a question that is answered in seconds, with the gate's own limits."""
    return Question("short", EXITS, TRIALS, folds=3, limits=GateLimits(samples=200))


def locked_question() -> Question:
    """Return the short question with a year locked away."""
    return replace(short_question(), holdout_seconds=365 * DAY)


def write_market(directory: Path, days: int = 1_600, seed: int = 1) -> Path:
    """Write daily candles of a random walk as the recorded ones are stored."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, days)))
    opened = np.concatenate([[100.0], close[:-1]])
    wick = np.abs(rng.normal(0, 0.01, (2, days)))
    moments = (np.arange(days) * DAY * 1_000_000).astype("datetime64[us]")
    table = pa.table(
        {
            "ts": pa.array(moments, pa.timestamp("us", tz="UTC")),
            "open": opened,
            "high": np.maximum(opened, close) * np.exp(wick[0]),
            "low": np.minimum(opened, close) * np.exp(-wick[1]),
            "close": close,
            "volume": rng.gamma(2, 10, days),
        }
    )
    (directory / "kraken").mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, directory / "kraken" / "BTC-USD_1d_19700101-19740519.parquet")
    return directory


class FakeLedger:
    """The ledger as the port has it, in memory; ``fail_after`` breaks it after so many trials."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.entries: dict[tuple[TrialKey, str], LedgerTrial] = {}
        self.verdicts: dict[str, GateReport] = {}
        self.champions = [NO_TRADE]
        self.models: dict[str, RegisteredModel] = {}
        self.added: list[str] = []
        self.fail_after: int | None = None
        self.cancelled: list[tuple[str, str]] = []
        self.openings: dict[str, HoldoutOpening] = {}
        self.looks: list = []

    async def begin_run(self, request: TrainingRequest, *_: object) -> None:
        self.runs.append(request.run_id)

    async def trials(self, data_hash: str) -> Sequence[LedgerTrial]:
        return [trial for (key, _), trial in self.entries.items() if key.data_hash == data_hash]

    async def add_trial(
        self, run_id: str, key: TrialKey, trial: LedgerTrial, seconds: float
    ) -> None:
        if self.fail_after is not None and len(self.added) >= self.fail_after:
            self.fail_after = None
            raise ConnectionError("the ledger is away")
        self.entries.setdefault((key, trial.result.trial), trial)
        self.added.append(trial.result.trial)

    async def champion(self) -> ChampionInForce:
        run_id, since = self.champions[-1], datetime(2024, 1, 1, tzinfo=UTC)
        return ChampionInForce(len(self.champions), run_id, since, self.models.get(run_id))

    async def save_verdict(self, run_id: str, candidate: str | None, report: GateReport) -> None:
        self.verdicts[run_id] = report

    async def end_cancelled(self, run_id: str, step: str) -> None:
        self.cancelled.append((run_id, step))

    async def holdout_opening(self, release: str) -> HoldoutOpening | None:
        return self.openings.get(release)

    async def note_opening(self, release, run_id, data_hash, result) -> HoldoutOpening:
        self.looks.append(result)
        return self.openings.setdefault(release, HoldoutOpening(run_id, result.reason))

    async def promote(self, promotion: Promotion) -> None:
        if promotion.run_id not in self.champions:
            self.champions.append(promotion.run_id)


class FakeRegistry:
    """The registry as the port has it, in memory; ``away`` makes every call fail."""

    def __init__(self) -> None:
        self.documents: dict[int, bytes] = {}
        self.runs: dict[str, int] = {}
        self.aliases: dict[str, int] = {}
        self.away = False

    def _answer(self) -> None:
        if self.away:
            raise ConnectionError("the registry is away")

    async def register(self, run_id, content, parameters, metrics, tags) -> int:
        self._answer()
        version = self.runs.setdefault(run_id, len(self.runs) + 1)
        self.documents.setdefault(version, content)
        return version

    async def set_alias(self, alias: str, version: int) -> None:
        self._answer()
        self.aliases[alias] = version

    async def get_model_version_by_alias(self, alias: str) -> int | None:
        self._answer()
        return self.aliases.get(alias)

    async def content(self, version: int) -> bytes:
        self._answer()
        return self.documents[version]


class FakeModels:
    """What the record keeps of models and decisions, in memory; the newest champion is in force."""

    def __init__(self) -> None:
        self.models: dict[str, RegisteredModel] = {}
        self.champions = [NO_TRADE]
        self.challengers: list[int] = []
        self.predictions: list = []
        self.shadow: RegisteredModel | None = None
        self.bars: list = []
        self.away = False

    async def champion(self) -> ChampionInForce:
        if self.away:
            raise ConnectionError("the record is away")
        run_id = self.champions[-1]
        since = datetime(2024, 1, 1, tzinfo=UTC)
        return ChampionInForce(len(self.champions), run_id, since, self.models.get(run_id))

    async def in_shadow(self) -> RegisteredModel | None:
        return self.shadow

    async def model_of(self, run_id: str) -> RegisteredModel | None:
        return self.models.get(run_id)

    async def note_model(self, model: RegisteredModel) -> None:
        self.models.setdefault(model.run_id, model)

    async def name_challenger(self, model: RegisteredModel) -> None:
        self.challengers.append(model.version)

    async def save_bars(self, bars) -> None:
        self.bars.extend(bars)

    async def log_prediction(self, prediction) -> None:
        if self.away:
            raise ConnectionError("the record is away")
        self.predictions.append(prediction)


class FakeShadows:
    """Shadows in memory; each look finds one more decision, the last of them `refusal`."""

    def __init__(self, refusal: str = "") -> None:
        self.shadows: dict[str, Shadow] = {}
        self.looks = 0
        self.refusal = refusal

    async def begin_shadow(self, run_id: str, version: int, wanted: int) -> Shadow:
        began = datetime(2024, 1, 1, tzinfo=UTC)
        return self.shadows.setdefault(run_id, Shadow(run_id, version, wanted, began))

    async def end_shadow(self, run_id: str, decisions: int, reason: str) -> Shadow:
        shadow = self.shadows[run_id]
        if shadow.reason is None:
            self.shadows[run_id] = replace(shadow, decisions=decisions, reason=reason)
        return self.shadows[run_id]

    async def decisions(self, version: int, since: datetime) -> Sequence[ResolvedPrediction]:
        self.looks += 1
        made = [ResolvedPrediction(f"{n}", 0.6, False, "", False, None) for n in range(self.looks)]
        if self.refusal:
            made[-1] = ResolvedPrediction("last", None, False, self.refusal, True, None)
        return made


def shadowing_for(refusal: str = "", wanted: int = 1) -> ShadowActivities:
    """Return the step of the shadow, by default content with one decision."""
    return ShadowActivities(FakeShadows(refusal), wanted)


def challenging_for(training: TrainingActivities) -> ChallengerActivities:
    """Return the step of the challengers, with the quick one of them."""
    return ChallengerActivities(training, training.ledger, "code", (Tabular(),))


def keeping_for(training: TrainingActivities) -> KeepingActivities:
    """Return the steps after the verdict over a registry and a record in memory."""
    keeper = ModelKeeper(FakeRegistry(), FakeModels(), lambda text: "signature", "code")
    return KeepingActivities(training, keeper)
