"""Calibration: a probability must mean what it says before it sizes a position.

The map is Platt's sigmoid, of two figures. Steps (isotonic regression) fit as many figures as there
are steps: they are learnt only from thousands of independent samples, else they follow chance.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
EDGE = 1e-6
FEWEST_SAMPLES = 30
FEWEST_FOR_STEPS = 3_000.0
"""Effective samples: overlapping labels count as the independent ones that they are worth."""


class CalibrationError(ValueError):
    """Calibration cannot be judged or learnt from so little."""


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """Platt's map of a score to a probability: 1 / (1 + exp(-(intercept + slope x logit)))."""

    intercept: float
    slope: float

    def apply(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities, shape (samples,)."""
        mapped: Floats = 1 / (1 + np.exp(-(self.intercept + self.slope * _logit(probabilities))))
        return mapped


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A map by steps that never falls: straight lines between `scores`, shape (steps,)."""

    scores: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        known = np.isfinite([*self.scores, *self.values]).all()
        rises = (np.diff(self.scores) > 0).all() and (np.diff(self.values) >= 0).all()
        if len(self.scores) != len(self.values) or not self.scores or not (known and rises):
            raise CalibrationError("the steps of a calibration are no map that rises")

    def apply(self, probabilities: Floats) -> Floats:
        """Return calibrated probabilities, shape (samples,)."""
        mapped: Floats = np.interp(probabilities, self.scores, self.values)
        return np.where(np.isfinite(probabilities), mapped, np.nan)


Mapping = Sigmoid | Isotonic


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well probabilities hold, out of fold.

    `brier` is the mean squared error and `base_brier` that of always saying the base rate. `slope`
    is that of the logistic regression of the answers on the logit (1 is perfect), with its
    interval.
    """

    samples: int
    brier: float
    base_brier: float
    slope: float
    slope_lower: float
    slope_upper: float

    @property
    def holds(self) -> bool:
        """Say whether the probabilities beat the base rate and the slope's interval contains 1."""
        return self.brier < self.base_brier and self.slope_lower <= 1 <= self.slope_upper


def fit_sigmoid(probabilities: Floats, profitable: Flags, weights: Floats | None = None) -> Sigmoid:
    """Learn the map from purged out-of-fold probabilities (Platt, 1999), shape (samples,).

    Raise `CalibrationError` below 30 samples or where the answers are all alike.
    """
    intercept, slope, _ = _regress(probabilities, profitable, weights)
    return Sigmoid(intercept, slope)


def fit_isotonic(probabilities: Floats, profitable: Flags, effective: float) -> Isotonic:
    """Learn steps from purged out-of-fold probabilities (Barlow, 1972), shape (samples,).

    No step says more than its evidence: what `effective` samples have never shown has at least the
    chance of one in two more of them. Raise `CalibrationError` below 3,000 effective samples.
    """
    if effective < FEWEST_FOR_STEPS or not np.isfinite(probabilities).all():
        raise CalibrationError(f"steps need {FEWEST_FOR_STEPS:.0f} independent samples")
    if profitable.all() or not profitable.any():
        raise CalibrationError("the answers are all alike")
    if float(probabilities.std()) < EDGE:
        raise CalibrationError("the probabilities do not vary")
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit(probabilities, profitable.astype(np.float64))
    rare = 1 / (effective + 2)
    values = np.clip(fitted.y_thresholds_, rare, 1 - rare)
    return Isotonic(
        tuple(float(score) for score in fitted.X_thresholds_),
        tuple(float(value) for value in values),
    )


def fit_mapping(probabilities: Floats, profitable: Flags, effective: float) -> Mapping:
    """Learn steps where there are thousands of `effective` samples, else the sigmoid.

    Raise `CalibrationError` where nothing can be learnt.
    """
    if effective >= FEWEST_FOR_STEPS:
        return fit_isotonic(probabilities, profitable, effective)
    return fit_sigmoid(probabilities, profitable)


def judge_calibration(
    probabilities: Floats,
    profitable: Flags,
    *,
    effective: float | None = None,
    confidence: float = 0.95,
) -> Calibration:
    """Judge out-of-fold probabilities. `effective` is the number of independent samples, if fewer.

    Overlapping labels share answers: the interval widens by the square root of samples / effective.
    """
    _, slope, error = _regress(probabilities, profitable, None)
    answers = profitable.astype(np.float64)
    widened = error * math.sqrt(answers.size / min(effective or answers.size, answers.size))
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * widened
    base = float(answers.mean())
    return Calibration(
        samples=int(answers.size),
        brier=float(np.mean((probabilities - answers) ** 2)),
        base_brier=base * (1 - base),
        slope=slope,
        slope_lower=slope - reach,
        slope_upper=slope + reach,
    )


def lower_probability(probability: float, effective: float, *, confidence: float = 0.8) -> float:
    """Return the lower bound of a probability that rests on `effective` independent samples.

    Wilson (1927), one-sided. What sizes a position: little evidence, small size.
    """
    if not (0 <= probability <= 1 and effective > 0):
        raise CalibrationError("neither probability nor evidence is known")
    reach = NormalDist().inv_cdf(confidence)
    centre = probability + reach**2 / (2 * effective)
    spread = reach * math.sqrt(
        probability * (1 - probability) / effective + reach**2 / (4 * effective**2)
    )
    return max(0.0, (centre - spread) / (1 + reach**2 / effective))


def _logit(probabilities: Floats) -> Floats:
    inside = np.clip(probabilities, EDGE, 1 - EDGE)
    found: Floats = np.log(inside / (1 - inside))
    return found


def _regress(
    probabilities: Floats, profitable: Flags, weights: Floats | None
) -> tuple[float, float, float]:
    """Regress the answers on the logit by Newton's method: (intercept, slope, slope's error)."""
    if probabilities.size < FEWEST_SAMPLES or not np.isfinite(probabilities).all():
        raise CalibrationError(f"needs {FEWEST_SAMPLES} known probabilities")
    if profitable.all() or not profitable.any():
        raise CalibrationError("the answers are all alike")
    logit, answers = _logit(probabilities), profitable.astype(np.float64)
    weight = np.ones_like(answers) if weights is None else weights
    if float(logit.std()) < EDGE:
        raise CalibrationError("the probabilities do not vary")
    design = np.stack([np.ones_like(logit), logit], axis=1)
    beta = np.zeros(2)
    for _ in range(100):
        expected = 1 / (1 + np.exp(-design @ beta))
        information = (design * (weight * expected * (1 - expected))[:, None]).T @ design
        information += 1e-9 * np.eye(2)
        step = np.linalg.solve(information, design.T @ (weight * (answers - expected)))
        beta = beta + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-10:
            break
    covariance = np.linalg.inv(information)
    return float(beta[0]), float(beta[1]), math.sqrt(float(covariance[1, 1]))
