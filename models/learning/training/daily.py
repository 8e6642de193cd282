"""The daily question: is a committee worth more than buying in the upper half of the channel."""

import numpy as np
import numpy.typing as npt

from models.learning.estimators.estimator import EstimatorSpec
from models.learning.features import definitions as define
from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet, daily_features
from models.learning.labels.exits import Exits
from models.learning.training.question import Question

Flags = npt.NDArray[np.bool_]
CHANNEL = FeatureSet("primary", 1, (define.channel(20),))
PRIMARY = "upper-half-20"
EXITS = Exits(stop=0.08, target=0.15, longest_bars=15, entry_cost=0.005, exit_cost=0.005)
"""Costs of a side: Kraken's taker fee of 0.40 % and 0.10 % of slippage."""
TRIALS = tuple(
    EstimatorSpec("committee", {"penalty": penalty, "leaves": leaves, "rounds": 40})
    for penalty in (1, 100)
    for leaves in (2, 3)
)


def upper_half(bars: Bars) -> Flags:
    """Enter whenever the close stands in the upper half of its channel of 20 bars."""
    found = CHANNEL.vectors(bars)[:, 0]
    return np.asarray(np.nan_to_num(found, nan=0.0) > 0.5)


def daily_question() -> Question:
    """Return the question that is asked by default."""
    return Question("daily", EXITS, TRIALS)


def question_features() -> FeatureSet:
    """Return the features of the daily question."""
    return daily_features()
