"""The verdict on a question: the best of its trials, and whether it has earned its promotion."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import Calibration
from models.learning.estimators.estimator import EstimatorSpec
from models.learning.training.fitting import run_trial
from models.learning.training.incumbent import Incumbent, benchmarks, with_incumbent
from models.learning.training.paths import judge_paths
from models.learning.training.question import (
    Answer,
    Plan,
    Progress,
    Question,
    TrialResult,
    make_plan,
)
from models.learning.training.samples import Samples
from models.learning.validation.gate import Evidence, Finding, GateReport, judge

Floats = npt.NDArray[np.float64]


def ask(
    question: Question,
    samples: Samples,
    rng: np.random.Generator,
    *,
    champion: Incumbent | None = None,
    progress: Progress | None = None,
    thorough: bool = True,
) -> Answer:
    """Try every estimator by walk-forward, choose the best Sharpe ratio and judge it.

    `champion` is the model that trades now, run again on this plan; None is no trade.
    `thorough` is that of `conclude`. Raise `SplitError` where the samples cannot be split.
    """
    plan = make_plan(question, samples)
    results = []
    for number, spec in enumerate(question.trials):
        if progress:
            progress(spec.describe(), number, len(question.trials))
        results.append(run_trial(plan, spec))
    return conclude(plan, results, rng, champion=champion, thorough=thorough)


def conclude(
    plan: Plan,
    results: Sequence[TrialResult],
    rng: np.random.Generator,
    *,
    earlier: Floats | None = None,
    champion: Incumbent | None = None,
    thorough: bool = True,
) -> Answer:
    """Choose the best of the trials and judge it, at last on the paths of its cross-validation.

    `earlier` are the results of all other trials that were ever run on this data, shape (periods,
    trials): they count, though none of them can be chosen. `champion` is the model that trades now,
    run again on this plan: None is no trade, one with unknown results refuses every candidate. The
    paths take longer than all else:
    without `thorough` only a candidate that has passed every other test goes on them.
    """
    question = plan.question
    primary = plan.periods.book(plan.samples, plan.tested, None)
    table = np.stack([result.net for result in results], axis=1)
    if earlier is not None and earlier.size:
        table = np.concatenate([table, earlier], axis=1)
    chosen = _best(results)
    if chosen is None:
        missing = Finding(
            "candidate", float("nan"), 0.0, passed=False, note="no trial took a trade"
        )
        refused = GateReport((missing,), None, 0.0)
        return Answer(question.name, None, tuple(results), primary, refused)
    against = benchmarks(primary, champion, chosen.net)
    evidence = Evidence(chosen.net, chosen.costs, table, against)
    report = judge(evidence, rng, question.limits)
    report = with_incumbent(report, champion, question.limits.superior)
    findings = (*report.findings, _calibrated(chosen.calibration))
    if thorough or all(finding.passed for finding in findings):
        spec = EstimatorSpec.parse(chosen.trial)
        findings = (*findings, judge_paths(question, plan.samples, spec))
    whole = GateReport(findings, report.trials, report.detectable_sharpe)
    return Answer(question.name, chosen, tuple(results), primary, whole)


def _best(results: Sequence[TrialResult]) -> TrialResult | None:
    live = [result for result in results if float(result.net.std()) > 0]
    return max(live, key=lambda result: result.net.mean() / result.net.std(), default=None)


def _calibrated(calibration: Calibration | None) -> Finding:
    if calibration is None:
        return Finding("calibration", float("nan"), 1.0, passed=False, note="cannot be judged")
    interval = f"slope between {calibration.slope_lower:.2f} and {calibration.slope_upper:.2f}"
    edge = calibration.brier / calibration.base_brier if calibration.base_brier else float("nan")
    return Finding("calibration", edge, 1.0, passed=calibration.holds, note=interval)
