"""A challenger before the gate: the same tests, except calibration, for it says no probability."""

import numpy as np
import numpy.typing as npt

from models.learning.training.incumbent import Incumbent, benchmarks, with_incumbent
from models.learning.training.question import Plan, TrialResult
from models.learning.validation.gate import Evidence, GateReport, judge

Floats = npt.NDArray[np.float64]


def judge_challenger(
    plan: Plan,
    result: TrialResult,
    tried: Floats,
    rng: np.random.Generator,
    *,
    champion: Incumbent | None = None,
) -> GateReport:
    """Judge a challenger among all trials on its data, `tried` of shape (periods, trials).

    `champion` is the model that trades now, run again on this plan; None is no trade.
    """
    limits = plan.question.limits
    primary = plan.periods.book(plan.samples, plan.tested, None)
    against = benchmarks(primary, champion, result.net)
    report = judge(Evidence(result.net, result.costs, tried, against), rng, limits)
    return with_incumbent(report, champion, limits.superior)
