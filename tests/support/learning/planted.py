"""Samples with an edge that a line sees in part, and a line with a product of features in whole."""

import numpy as np

from activities.learning.planning import PlannedTraining
from activities.ports.learning.training import TrialKey
from models.learning.estimators.estimator import EstimatorSpec
from models.learning.training.exits import EXITS
from models.learning.training.question import Plan, Question, make_plan
from models.learning.training.samples import Samples
from models.learning.validation.gate import GateLimits
from models.learning.validation.spans import Spans

DAY = 86_400
NAMES = ("first", "second")
PLAIN = EstimatorSpec("logistic", {"penalty": 1})
PRODUCT = EstimatorSpec("logistic", {"penalty": 1}, expressions=("product(first, second)",))


def planted_plan(*trials: EstimatorSpec, count: int = 2_400) -> Plan:
    """Return a plan whose answers follow the first feature, and more so its product."""
    rng = np.random.default_rng(2)
    features = rng.standard_normal((count, 2))
    pull = 1.5 * features[:, 0] + 1.5 * features[:, 0] * features[:, 1]
    wins = rng.random(count) < 1 / (1 + np.exp(-pull))
    start = np.arange(count) * DAY
    ones = np.ones(count)
    samples = Samples(
        features, np.where(wins, 0.1, -0.1), Spans(start, start + DAY), ones, ones,
        np.zeros(count, dtype=np.int64),
    )  # fmt: skip
    limits = GateLimits(samples=200)
    question = Question("planted", EXITS, trials, folds=3, features=NAMES, limits=limits)
    return make_plan(question, samples)


class PlantedPlanner:
    """A planner that has nothing but the planted plan."""

    def __init__(self, plan: Plan) -> None:
        self._planned = PlannedTraining(plan, TrialKey("d" * 64, "planted"), (), None)

    async def of(self, _: str) -> PlannedTraining:
        """Return the plan, whatever data is asked for."""
        return self._planned
