"""A challenger before the gate: the same tests, except calibration, for it says no probability."""

import numpy as np
import numpy.typing as npt

from models.learning.training.question import Plan, TrialResult
from models.learning.training.verdict import at_equal_risk
from models.learning.validation.gate import Evidence, GateReport, judge

Floats = npt.NDArray[np.float64]


def judge_challenger(
    plan: Plan, result: TrialResult, tried: Floats, rng: np.random.Generator
) -> GateReport:
    """Judge a challenger among all trials on its data, `tried` of shape (periods, trials)."""
    primary = plan.periods.book(plan.samples, plan.tested, None)
    against = {"primary": at_equal_risk(primary, result.net)}
    evidence = Evidence(result.net, result.costs, tried, against)
    return judge(evidence, rng, plan.question.limits)
