"""The model that trades now, put to a training's own data: whoever follows it must beat it there.

A champion's file was fitted on what this training tests, so its own results would be none out of
sample. Its trial is run again instead, on the same folds as every other.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.learning.estimators.estimator import EstimatorError, EstimatorSpec
from models.learning.features.expressions import ExpressionError
from models.learning.training.fitting import run_trial
from models.learning.training.question import Plan, TrialResult
from models.learning.validation.gate import Finding, GateReport

Floats = npt.NDArray[np.float64]
CHAMPION = "champion"
NOBODY = "no trade is the champion"


@dataclass(frozen=True, slots=True)
class Incumbent:
    """A champion by its trial; `net` per tested period is None where `why` keeps it unknown."""

    trial: str
    net: Floats | None
    why: str = ""


def incumbent_of(result: TrialResult) -> Incumbent:
    """Take a champion's results from its trial; a fold that was not learnt leaves them unknown."""
    if result.failures:
        return Incumbent(result.trial, None, f"the champion: {'; '.join(result.failures[:3])}")
    return Incumbent(result.trial, result.net)


def rerun(plan: Plan, trial: str) -> Incumbent:
    """Run a champion's trial again, out of sample on the plan's folds."""
    try:
        return incumbent_of(run_trial(plan, EstimatorSpec.parse(trial)))
    except (EstimatorError, ExpressionError) as error:
        return Incumbent(trial, None, f"the champion cannot be run again: {error}")


def benchmarks(
    primary: Floats, incumbent: Incumbent | None, candidate: Floats
) -> dict[str, Floats]:
    """Return what a candidate must beat besides no trade, by name, each at the candidate's risk."""
    against = {"primary": at_equal_risk(primary, candidate)}
    if incumbent is not None and incumbent.net is not None:
        against[CHAMPION] = at_equal_risk(incumbent.net, candidate)
    return against


def with_incumbent(report: GateReport, incumbent: Incumbent | None, limit: float) -> GateReport:
    """Say in the report whom the candidate was held against; an unknown champion refuses it."""
    if incumbent is None:
        return _noted(report, "superior_to_no_trade", NOBODY)
    test = f"superior_to_{CHAMPION}"
    if incumbent.net is not None:
        return _noted(report, test, incumbent.trial)
    unknown = Finding(test, math.nan, limit, passed=False, note=incumbent.why)
    return replace(report, findings=(*report.findings, unknown))


def at_equal_risk(results: Floats, other: Floats) -> Floats:
    """Scale `results` to the deviation of `other`: a larger stake is no better rule."""
    deviation = float(results.std())
    return results * (float(other.std()) / deviation) if deviation > 0 else results


def _noted(report: GateReport, test: str, note: str) -> GateReport:
    findings = tuple(
        replace(one, note=f"{note}; {one.note}" if one.note else note) if one.test == test else one
        for one in report.findings
    )
    return replace(report, findings=findings)
