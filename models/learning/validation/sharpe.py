"""Sharpe ratio inference: probabilistic, deflated, autocorrelated, and the shortest record.

Every Sharpe ratio here is *per observation*, not annualised: divide an annual one by the square
root of the number of observations of a year before it comes in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

NORMAL = NormalDist()
EULER_MASCHERONI = 0.5772156649015329
SMALLEST_SAMPLE = 3

Floats = npt.NDArray[np.float64]


class UnknownStatisticError(ValueError):
    """A statistic cannot be computed: too few observations, or none that vary."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What Sharpe ratio inference needs of a series of net results.

    `sharpe` is mean over standard deviation (sample, ddof 1) per observation, `skewness` and
    `kurtosis` are the third and fourth standardised moments (3.0 is normal), `autocorrelation` is
    that of lag one.
    """

    observations: int
    sharpe: float
    skewness: float = 0.0
    kurtosis: float = 3.0
    autocorrelation: float = 0.0


def moments(results: Sequence[float] | Floats) -> Moments:
    """Measure the moments of net results, shape (observations,).

    Raise `UnknownStatisticError` for fewer than three observations, for one that is not finite, or
    for a series that does not vary: its Sharpe ratio is unknown, not zero and not infinite.
    """
    values = np.asarray(results, dtype=np.float64)
    if values.ndim != 1 or values.size < SMALLEST_SAMPLE:
        message = f"needs a series of at least {SMALLEST_SAMPLE} results, not shape {values.shape}"
        raise UnknownStatisticError(message)
    if not np.isfinite(values).all():
        raise UnknownStatisticError("a result is not a finite number")
    deviation = float(values.std(ddof=1))
    centred = values - values.mean()
    scale = float(np.sqrt(np.mean(centred**2)))
    if deviation <= np.finfo(np.float64).eps * max(1.0, float(np.abs(values).max())):
        raise UnknownStatisticError("the results do not vary")
    variance = float(np.dot(centred, centred))
    return Moments(
        observations=int(values.size),
        sharpe=float(values.mean()) / deviation,
        skewness=float(np.mean((centred / scale) ** 3)),
        kurtosis=float(np.mean((centred / scale) ** 4)),
        autocorrelation=float(np.dot(centred[1:], centred[:-1])) / variance,
    )


def sharpe_variance(moments: Moments, at: float) -> float:
    """Return the variance of an estimated Sharpe ratio whose true value is `at`.

    Lopez de Prado, Lipton, Zoonekynd, "How to use the Sharpe ratio" (2025): the asymptotic variance
    of Lo (2002) and Mertens (2002) for skewed, fat-tailed results with first-order autocorrelation.
    """
    rho = moments.autocorrelation
    if not -1 < rho < 1:
        message = f"autocorrelation {rho} is not between -1 and 1"
        raise UnknownStatisticError(message)
    first, second = rho / (1 - rho), rho**2 / (1 - rho**2)
    shape = (
        (1 + 2 * first)
        - (1 + first + second) * moments.skewness * at
        + (1 + 2 * second) * (moments.kurtosis - 1) / 4 * at**2
    )
    if not shape > 0 or not math.isfinite(shape):
        raise UnknownStatisticError("the variance of the Sharpe ratio is not positive")
    return shape / moments.observations


def probabilistic_sharpe(moments: Moments, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio exceeds `benchmark`.

    Bailey and Lopez de Prado, "The Sharpe ratio efficient frontier" (2012): variance at the
    estimate, T - 1 degrees of freedom, no autocorrelation.
    """
    shape = 1 - moments.skewness * moments.sharpe + (moments.kurtosis - 1) / 4 * moments.sharpe**2
    if not shape > 0:
        raise UnknownStatisticError("the variance of the Sharpe ratio is not positive")
    distance = (moments.sharpe - benchmark) * math.sqrt(moments.observations - 1)
    return NORMAL.cdf(distance / math.sqrt(shape))


def probabilistic_sharpe_2025(moments: Moments, benchmark: float = 0.0) -> float:
    """Return one minus the p-value of "the true Sharpe ratio is at most `benchmark`".

    The variant of 2025: the variance is taken under the hypothesis (at `benchmark`), with
    autocorrelation (see `sharpe_variance`).
    """
    deviation = math.sqrt(sharpe_variance(moments, benchmark))
    return NORMAL.cdf((moments.sharpe - benchmark) / deviation)


def expected_best_sharpe(variance_of_trials: float, trials: float) -> float:
    """Return the Sharpe ratio that the best of `trials` skill-less trials is expected to show.

    Bailey and Lopez de Prado, "The deflated Sharpe ratio" (2014). `trials` is the effective number
    of independent trials; one trial expects zero.
    """
    if not (variance_of_trials >= 0 and math.isfinite(variance_of_trials)):
        message = f"the variance of the trials is {variance_of_trials}"
        raise UnknownStatisticError(message)
    if not trials >= 1:
        message = f"{trials} trials are fewer than one"
        raise UnknownStatisticError(message)
    if trials == 1:
        return 0.0
    upper = NORMAL.inv_cdf(1 - 1 / trials)
    tail = NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    spread = math.sqrt(variance_of_trials)
    return max(0.0, spread * ((1 - EULER_MASCHERONI) * upper + EULER_MASCHERONI * tail))


def deflated_sharpe(moments: Moments, variance_of_trials: float, trials: float) -> float:
    """Return the deflated Sharpe ratio of 2014: the probability to exceed the best of chance."""
    return probabilistic_sharpe(moments, expected_best_sharpe(variance_of_trials, trials))


def deflated_sharpe_2025(moments: Moments, variance_of_trials: float, trials: float) -> float:
    """Return the deflated Sharpe ratio of 2025: `probabilistic_sharpe_2025` above chance."""
    return probabilistic_sharpe_2025(moments, expected_best_sharpe(variance_of_trials, trials))


def minimum_track_record(
    moments: Moments, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return how many observations are needed to say that the Sharpe ratio exceeds `benchmark`.

    Bailey and Lopez de Prado (2012), equation 11. Infinite where the estimate is not above
    `benchmark`.
    """
    if moments.sharpe <= benchmark:
        return math.inf
    shape = 1 - moments.skewness * moments.sharpe + (moments.kurtosis - 1) / 4 * moments.sharpe**2
    return 1 + shape * (NORMAL.inv_cdf(confidence) / (moments.sharpe - benchmark)) ** 2


def detectable_sharpe(
    observations: int, *, benchmark: float = 0.0, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Return the true Sharpe ratio per observation that this many observations would have detected.

    The smallest value that is found above `benchmark` at `confidence` with probability `power`, for
    normal results without autocorrelation: what a report that found nothing could have seen at all.
    """
    if observations < SMALLEST_SAMPLE:
        message = f"{observations} observations detect nothing"
        raise UnknownStatisticError(message)
    plain = Moments(observations, 0.0)
    reach = NORMAL.inv_cdf(confidence) * math.sqrt(sharpe_variance(plain, benchmark))
    found = benchmark + reach
    for _ in range(50):
        spread = math.sqrt(sharpe_variance(plain, found))
        found = benchmark + reach + NORMAL.inv_cdf(power) * spread
    return found
