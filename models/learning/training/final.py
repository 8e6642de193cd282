"""The model that is kept: the candidate's estimator, fitted on all that was known at its training.

What it did out of sample goes with it, as the baseline of its watch.
"""

import numpy as np
import numpy.typing as npt

from models.learning.estimators.calibration import Isotonic, Mapping, Sigmoid
from models.learning.estimators.estimator import EstimatorSpec, make_estimator
from models.learning.estimators.portable import Baseline, ModelDocument, members_of
from models.learning.features.catalogue import FeatureSet
from models.learning.training.fitting import (
    inner_calibration,
    mean_odds,
    run_trial,
    with_expressions,
)
from models.learning.training.question import Plan
from models.learning.watching.champion import log_losses
from models.learning.watching.drift import edges_of

Floats = npt.NDArray[np.float64]


def fit_final(
    plan: Plan, spec: EstimatorSpec, features: FeatureSet, primary: str, *, pins: dict[str, str]
) -> ModelDocument:
    """Fit `spec` on every sample of the plan and write the model as a document.

    `pins` are `data_hash` and `code_version`. Raise `EstimatorError` or `CalibrationError` where
    it cannot be fitted, `PortableError` where it cannot be written.
    """
    question, base = plan.question, plan.samples
    samples = with_expressions(question, base, spec)
    rows = np.arange(len(samples))
    calibration = inner_calibration(question, samples, rows, spec)
    model = make_estimator(spec).fit(samples.features, samples.profitable, samples.weights)
    odds = mean_odds(samples, rows)
    scaler, (_, classifier) = model.pipeline.steps[0][1], model.pipeline.steps[-1]
    return ModelDocument(
        kind=spec.kind,
        trial=spec.describe(),
        primary=primary,
        feature_hash=features.fingerprint,
        features=features.names,
        data_hash=pins["data_hash"],
        code_version=pins["code_version"],
        mean=_numbers(scaler.mean_),
        scale=_numbers(scaler.scale_),
        low=_numbers(samples.features.min(axis=0)),
        high=_numbers(samples.features.max(axis=0)),
        members=members_of(classifier),
        sigmoid=_sigmoid(calibration),
        steps=_steps(calibration),
        expressions=spec.expressions,
        evidence=float(samples.unique.sum()) / (samples.features.shape[1] + 1),
        win=odds.target,
        loss=odds.stop,
        largest_stake=question.largest_stake,
        edges=edges_of(base.features),
        baseline=baseline_of(plan, spec),
    )


def baseline_of(plan: Plan, spec: EstimatorSpec) -> Baseline:
    """Return what the estimator did out of sample: log-losses of all, results of what it took."""
    result, tested = run_trial(plan, spec), plan.tested
    order = np.argsort(plan.samples.spans.start[tested], kind="stable")
    rows = tested[order]
    probabilities, stakes = result.probabilities[order], result.stakes[order]
    known = np.isfinite(probabilities)
    losses = log_losses(probabilities[known], plan.samples.profitable[rows][known])
    taken = plan.samples.net[rows][stakes > 0]
    return Baseline(_numbers(np.round(losses, 6)), _numbers(np.round(taken, 6)))


def _sigmoid(calibration: Mapping) -> tuple[float, float]:
    if isinstance(calibration, Sigmoid):
        return calibration.intercept, calibration.slope
    return 0.0, 1.0


def _steps(calibration: Mapping) -> tuple[tuple[float, ...], ...]:
    return (calibration.scores, calibration.values) if isinstance(calibration, Isotonic) else ()


def _numbers(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
