"""Combinatorial purged cross-validation: a candidate goes through history on several paths.

Walk-forward shows one way through history. Here the samples are cut into stretches of time, every
choice of some of them is tested by a fit on all others (purged by the spans of the labels over all
pairs, and embargoed), and the tests are put together to paths that cover all of history, each of
fits of its own (Lopez de Prado, "Advances in financial machine learning", 2018, chapter 12). A
candidate whose one way was luck loses on another.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import CalibrationError
from models.learning.estimators.estimator import EstimatorError, EstimatorSpec
from models.learning.training.fitting import stakes_of, with_expressions
from models.learning.training.question import Periods, Question
from models.learning.training.samples import Samples
from models.learning.validation.gate import Finding
from models.learning.validation.spans import Split, SplitError, combinatorial

Floats = npt.NDArray[np.float64]
YEAR_SECONDS = 365 * 86_400
TEST = "combinatorial_paths"


@dataclass(frozen=True, slots=True)
class Paths:
    """What a candidate earned on each path.

    `net` has shape (paths, periods), shares of capital; `sharpes` are those of a year, shape
    (paths,), NaN where a path took nothing. `failures` name the splits that could not be learnt.
    """

    net: Floats
    sharpes: Floats
    splits: int
    failures: tuple[str, ...]

    def finding(self) -> Finding:
        """Return the gate's test: every split can be learnt and no path loses, net of costs."""
        known = np.isfinite(self.sharpes).all() and not self.failures
        worst = float(self.sharpes.min()) if known else math.nan
        if known:
            shown = ", ".join(f"{sharpe:.2f}" for sharpe in np.sort(self.sharpes))
            note = f"{self.sharpes.size} paths of {self.splits} splits, Sharpe ratios {shown}"
        else:
            note = "; ".join(self.failures[:3]) or "a path took no trade"
        return Finding(TEST, worst, 0.0, passed=bool(worst > 0), note=note)


def paths_splits(question: Question, samples: Samples) -> tuple[Split, ...]:
    """Return every split of the question's stretches. Raise `SplitError` where there is none."""
    return tuple(
        combinatorial(
            samples.spans,
            question.stretches,
            question.tested_stretches,
            embargo=question.embargo_seconds,
        )
    )


def walk_paths(question: Question, samples: Samples, spec: EstimatorSpec) -> Paths:
    """Let an estimator go through all of history on every path.

    Raise `SplitError` where the samples cannot be cut.
    """
    samples = with_expressions(question, samples, spec)
    splits = paths_splits(question, samples)
    count = math.comb(question.stretches - 1, question.tested_stretches - 1)
    stakes = np.zeros((count, len(samples)))
    used = np.zeros(len(samples), dtype=np.int64)
    failures = []
    for split in splits:
        try:
            stakes[used[split.test], split.test] = stakes_of(question, samples, split, spec)[0]
        except (EstimatorError, CalibrationError, SplitError) as error:
            failures.append(f"stretches {split.groups}: {error}")
        # The test of a stretch goes to the first path that has none of it yet.
        used[split.test] += 1
    rows = np.arange(len(samples))
    periods = Periods.of(samples.spans, rows, question.period_seconds)
    net = np.stack([periods.book(samples, rows, samples.net * path) for path in stakes])
    return Paths(net, _sharpes(net, question.period_seconds), len(splits), tuple(failures))


def judge_paths(question: Question, samples: Samples, spec: EstimatorSpec) -> Finding:
    """Return what the paths say; samples that cannot be cut fail the test and say why."""
    try:
        return walk_paths(question, samples, spec).finding()
    except SplitError as error:
        return Finding(TEST, math.nan, 0.0, passed=False, note=str(error))


def _sharpes(net: Floats, period_seconds: int) -> Floats:
    deviation = net.std(axis=1)
    known = deviation > 0
    ratio = np.divide(net.mean(axis=1), deviation, out=np.full(len(net), np.nan), where=known)
    yearly: Floats = ratio * math.sqrt(YEAR_SECONDS / period_seconds)
    return yearly
