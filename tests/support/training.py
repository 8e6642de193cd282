"""A market in files, a short question and a ledger in memory, for stories of training."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from activities.ports.training import LedgerTrial, TrialKey
from models.contracts.learning import NO_TRADE, Promotion, TrainingRequest
from models.learning.estimators.estimator import EstimatorSpec
from models.learning.training.daily import EXITS
from models.learning.training.question import Question
from models.learning.validation.gate import GateLimits, GateReport

DAY = 86_400
TRIALS = tuple(EstimatorSpec("logistic", {"penalty": penalty}) for penalty in (1, 100))


def short_question() -> Question:
    """Return a question that is answered in seconds, with the gate's own limits."""
    return Question("short", EXITS, TRIALS, folds=3, limits=GateLimits(samples=200))


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
        self.added: list[str] = []
        self.fail_after: int | None = None

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

    async def save_verdict(self, run_id: str, candidate: str | None, report: GateReport) -> None:
        self.verdicts[run_id] = report

    async def promote(self, promotion: Promotion) -> None:
        if self.champions[-1] != promotion.run_id:
            self.champions.append(promotion.run_id)
