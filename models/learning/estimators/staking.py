"""From a probability to a stake: a quarter of Kelly on its lower bound. No estimator is loaded."""

from models.learning.estimators.calibration import lower_probability
from models.learning.labels.size import Odds, stake


def sized_stake(probability: float, evidence: float, odds: Odds, largest: float) -> float:
    """Return the share of capital to stake, at most `largest`; the account's caps come after it.

    `evidence` is the number of independent samples for each figure that the model fits. Raise
    `CalibrationError` or `SizeError` where a figure is missing.
    """
    bounded = lower_probability(probability, max(evidence, 1.0))
    return min(largest, stake(bounded, odds))
