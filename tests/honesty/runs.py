"""One run of the pipeline each on a market whose truth is known."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from models.learning.estimators.estimator import EstimatorSpec
from models.learning.features import definitions as define
from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet, daily_features
from models.learning.features.checks import features_that_look_ahead
from models.learning.features.definitions import Feature
from models.learning.labels.exits import Exits
from models.learning.training.question import Answer, Question, ask
from models.learning.training.samples import make_samples
from models.learning.validation.gate import GateLimits
from tests.honesty.markets import SHORTEST_SHIFT, YEAR, Made, made, resampled

EXITS = Exits(stop=0.08, target=0.15, longest_bars=15, entry_cost=0.005, exit_cost=0.005)
DEAR = replace(EXITS, entry_cost=0.04, exit_cost=0.04)
QUICK = (EstimatorSpec("logistic", {"penalty": 1}), EstimatorSpec("logistic", {"penalty": 100}))
FULL = (
    *(EstimatorSpec("logistic", {"penalty": penalty}) for penalty in (0.1, 1, 10, 100)),
    *(EstimatorSpec("boosting", {"leaves": leaves, "rounds": 40}) for leaves in (4, 8)),
)
LIMITS = GateLimits(samples=1_000)
SIMPLE = FeatureSet(
    "simple",
    1,
    (
        define.log_return(5),
        define.realised_volatility(20),
        define.trend(10, 50),
        define.channel(20),
        define.order_flow(5),
    ),
)
WITHOUT_FLOW = FeatureSet(
    "candles", 1, tuple(f for f in daily_features().features if f.source != "reference")
)


@dataclass(frozen=True)
class Run:
    """What came of one run: promoted or not, by which figures."""

    kind: str
    seed: int
    promoted: bool
    reasons: tuple[str, ...]
    sharpe: float


def upper_half(bars: Bars) -> np.ndarray:
    """Enter whenever the close stands in the upper half of its channel of 20 days."""
    found = FeatureSet("primary", 1, (define.channel(20),)).vectors(bars)[:, 0]
    return np.nan_to_num(found, nan=0.0) > 0.5


def always(bars: Bars) -> np.ndarray:
    """Enter at every bar."""
    return np.ones(len(bars), dtype=bool)


def quick_null(recorded: list[Bars], seed: int) -> Run:
    """Ask about a market in which features and answers have nothing to do with each other."""
    rng = np.random.default_rng([1, seed])
    bars = recorded[seed % len(recorded)]
    return _asked("quick null", seed, [bars], rng, shifted=seed % 2 == 0, trials=QUICK)


def full_null(recorded: list[Bars], seed: int) -> Run:
    """Ask the whole question, of all pairs and all trials, about such a market."""
    rng = np.random.default_rng([2, seed])
    return _asked("full null", seed, recorded, rng, shifted=seed % 2 == 0, trials=FULL)


def _asked(
    kind: str,
    seed: int,
    histories: list[Bars],
    rng: np.random.Generator,
    *,
    shifted: bool,
    trials: tuple[EstimatorSpec, ...],
) -> Run:
    shift = 0
    if shifted:
        shortest = min(len(bars) for bars in histories)
        shift = int(rng.integers(SHORTEST_SHIFT, shortest - SHORTEST_SHIFT))
    else:
        histories = [resampled(bars, rng) for bars in histories]
    samples = make_samples(histories, WITHOUT_FLOW, upper_half, EXITS, shift=shift)
    question = Question(kind, EXITS, trials, limits=LIMITS)
    return _run(kind, seed, ask(question, samples, rng))


def signal(kind: str, seed: int, sharpe: float, *, below_cost: bool = False) -> Run:
    """Ask about a made market whose signal is worth `sharpe` a year net to whoever knows it.

    Below cost, the signal is the strongest that is worth nothing at costs of 4 % a side.
    """
    exits = DEAR if below_cost else EXITS
    rng = np.random.default_rng([3, seed])
    samples = make_samples(made(Made(edge_worth(sharpe, exits)), rng), SIMPLE, always, exits)
    return _run(kind, seed, ask(Question(kind, exits, FULL, limits=LIMITS), samples, rng))


@cache
def edge_worth(sharpe: float, exits: Exits) -> float:
    """Find the edge that is worth `sharpe` a year to whoever sees the state, by a long market."""
    low, high = 0.0, 0.2
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if _worth(middle, exits) < sharpe else (low, middle)
    return (low + high) / 2


def _worth(edge: float, exits: Exits) -> float:
    market = Made(edge, years=60, pairs=2)
    histories = made(market, np.random.default_rng(17))
    flow = FeatureSet("flow", 1, (define.order_flow(5),))
    samples = make_samples(histories, flow, always, exits)
    taken = samples.features[:, 0] > 0
    day = (samples.spans.end[taken] - samples.spans.start.min()) // 86_400
    booked = np.bincount(day, weights=samples.net[taken])
    return float(booked.mean() / booked.std() * np.sqrt(YEAR))


def leak(recorded: list[Bars]) -> bool:
    """Plant a feature that sees tomorrow and say whether the check names it, and it alone."""

    def tomorrow(window: define.Window) -> np.ndarray:
        close = window["close"][..., -1]
        return np.log(np.roll(close, -1) / close)

    planted = Feature("tomorrow", "log return", "candles", 2, tomorrow)
    features = FeatureSet("planted", 1, (*WITHOUT_FLOW.features, planted))
    return features_that_look_ahead(features, recorded[0], np.random.default_rng(4)) == ["tomorrow"]


def _run(kind: str, seed: int, answer: Answer) -> Run:
    sharpe = float("nan")
    if answer.candidate is not None:
        net = answer.candidate.net
        sharpe = float(net.mean() / net.std() * np.sqrt(YEAR))
    return Run(kind, seed, answer.promoted, answer.report.reasons, sharpe)
