"""The daily question: is a committee worth more than buying in the upper half of the channel."""

import numpy as np
import numpy.typing as npt

from models.learning.estimators.estimator import EstimatorSpec
from models.learning.features import definitions as define
from models.learning.features.bars import Bars
from models.learning.features.catalogue import FeatureSet, daily_features
from models.learning.training.exits import EXITS
from models.learning.training.question import DAY_SECONDS, Question

Flags = npt.NDArray[np.bool_]
CHANNEL = FeatureSet("primary", 1, (define.channel(20),))
HOLDOUT = 365 * DAY_SECONDS
"""The newest year is locked away until a model has passed every test without it."""
TUNED = 4
DISCOVERED = 4
"""With two challengers fourteen trials: the gate allows twenty."""
PRIMARY = "upper-half-20"
"""Its name in the ledger; as a strategy that runs it is ``upper_half``."""
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
    return Question(
        "daily",
        EXITS,
        TRIALS,
        holdout_seconds=HOLDOUT,
        tuned=TUNED,
        features=question_features().names,
        discovered=DISCOVERED,
    )


def question_features() -> FeatureSet:
    """Return the features of the daily question."""
    return daily_features()
