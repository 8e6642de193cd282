"""One run of the pipeline each on a market whose truth is known."""

from dataclasses import dataclass, replace

import numpy as np

from models.learning.estimators.estimator import EstimatorSpec
from models.learning.features import definitions as define
from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet, daily_features
from models.learning.features.checks import features_that_look_ahead
from models.learning.features.definitions import Feature
from models.learning.labels.exits import Exits
from models.learning.training.question import Answer, Question
from models.learning.training.samples import Samples, make_samples
from models.learning.training.verdict import ask
from models.learning.validation.gate import GateLimits
from tests.honesty.markets import DAY, SHORTEST_SHIFT, YEAR, Made, made, resampled

EXITS = Exits(stop=0.08, target=0.15, longest_bars=15, entry_cost=0.005, exit_cost=0.005)
DEAR = replace(EXITS, entry_cost=0.04, exit_cost=0.04)
QUICK = (EstimatorSpec("logistic", {"penalty": 1}), EstimatorSpec("logistic", {"penalty": 100}))
FULL = tuple(
    EstimatorSpec("committee", {"penalty": penalty, "leaves": leaves, "rounds": 40})
    for penalty in (1, 100)
    for leaves in (2, 3)
)
YEARS_BEFORE, YEARS_TESTED = 6, 8
MOST_DRAWS = 200
LIMITS = GateLimits(samples=1_000)
SIMPLE = FeatureSet(
    "simple",
    1,
    (
        define.log_return(5),
        define.realised_volatility(20),
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
        # A shift just short of the whole circle shows features of the days that the answers are
        # made of: whatever the features and the answer span must lie between, in both directions.
        reach = WITHOUT_FLOW.lookback + EXITS.longest_bars + SHORTEST_SHIFT
        shift = int(rng.integers(SHORTEST_SHIFT, shortest - reach))
    else:
        histories = [resampled(bars, rng) for bars in histories]
    samples = make_samples(histories, WITHOUT_FLOW, upper_half, EXITS, shift=shift)
    question = Question(kind, EXITS, trials, limits=LIMITS)
    return _run(kind, seed, ask(question, samples, rng, thorough=False))


def signal(
    kind: str, seed: int, edge: float, *, worth: float | None = None, below_cost: bool = False
) -> Run:
    """Ask about a made market with a signal: years to learn from, then eight that are tested.

    `edge` is that of the state, see `edge_worth`. With `worth`, markets are drawn until the signal
    also was worth that net Sharpe ratio (within a tenth) in the tested years to whoever followed
    it: what the gate sees is neither better nor worse than what is promised. Below cost, every
    entry and exit costs 4 %.
    """
    exits = DEAR if below_cost else EXITS
    rng = np.random.default_rng([3, seed])
    market = Made(edge, years=YEARS_BEFORE + YEARS_TESTED)
    for _ in range(MOST_DRAWS):
        samples = make_samples(made(market, rng), SIMPLE, always, exits)
        if worth is None or abs(_worth_of(samples, YEARS_BEFORE) - worth) <= worth / 10:
            break
    question = Question(kind, exits, FULL, limits=LIMITS)
    return _run(kind, seed, ask(question, samples, rng, thorough=False))


def edge_worth(sharpe: float, exits: Exits) -> float:
    """Find the edge that is worth `sharpe` a year to whoever follows it, by a long market."""
    low, high = 0.0, 0.2
    for _ in range(12):
        middle = (low + high) / 2
        market = made(Made(middle, years=60), np.random.default_rng(17))
        found = _worth_of(make_samples(market, SIMPLE, always, exits), 0)
        low, high = (middle, high) if found < sharpe else (low, middle)
    return (low + high) / 2


def _worth_of(samples: Samples, first_year: int) -> float:
    """Return the Sharpe ratio a year of entering whenever order flow is good, from a year on."""
    begins = first_year * YEAR * DAY
    flow = SIMPLE.names.index(define.order_flow(5).name)
    taken = (samples.features[:, flow] > 0) & (samples.spans.start >= begins)
    booked = np.bincount((samples.spans.end[taken] - begins) // DAY, weights=samples.net[taken])
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
