"""The model that is kept decides as its training did: expressions, steps and all."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.estimators.estimator import EstimatorSpec, make_estimator
from models.learning.estimators.portable import ModelDocument, PortableError, PortableModel
from models.learning.features.catalogue import FeatureSet
from models.learning.features.definitions import log_return
from models.learning.training.final import fit_final
from models.learning.training.fitting import inner_calibration, with_expressions
from models.learning.training.question import Question, make_plan
from models.learning.training.samples import Samples
from models.learning.validation.spans import Spans
from tests.models.learning.training.test_paths import EXITS

SET = FeatureSet("pair", 1, (log_return(1), log_return(5)))
NAMES = SET.names
WITH_PRODUCT = EstimatorSpec(
    "logistic", {"penalty": 1}, expressions=(f"product({NAMES[0]}, {NAMES[1]})",)
)
PINS = {"data_hash": "d", "code_version": "c"}


def plan_of(count: int):
    """Return samples whose answer hangs on the product of two figures, which neither tells."""
    rng = np.random.default_rng(3)
    features = rng.standard_normal((count, 2))
    wins = rng.random(count) < 1 / (1 + np.exp(-2 * features[:, 0] * features[:, 1]))
    start = np.arange(count) * 86_400
    ones = np.ones(count)
    samples = Samples(
        features, np.where(wins, 0.1, -0.1), Spans(start, start + 86_400), ones, ones,
        np.zeros(count, dtype=np.int64),
    )  # fmt: skip
    question = Question("final", EXITS, (WITH_PRODUCT,), folds=3, features=NAMES)
    return make_plan(question, samples)


@pytest.mark.parametrize("count", [800, 6_000])
def test_document_says_what_the_training_said(count):
    plan = plan_of(count)
    made = fit_final(plan, WITH_PRODUCT, SET, "primary", pins=PINS)
    assert made.features == NAMES
    assert made.expressions == WITH_PRODUCT.expressions
    assert len(made.mean) == len(made.low) == 3
    assert len(made.edges) == 2
    assert bool(made.steps) == (count > 3_000)
    model = PortableModel(ModelDocument.decode(made.encode()))
    samples = with_expressions(plan.question, plan.samples, WITH_PRODUCT)
    rows = np.arange(count)
    calibration = inner_calibration(plan.question, samples, rows, WITH_PRODUCT)
    fitted = make_estimator(WITH_PRODUCT).fit(samples.features, samples.profitable, samples.weights)
    wanted = calibration.apply(fitted.probabilities(samples.features[:50]))
    found = [model.predict(vector) for vector in plan.samples.features[:50]]
    assert np.allclose([one.probability for one in found], wanted, rtol=0, atol=1e-6)
    # What it goes by is the expression, and it says so.
    most = [max(one.contributions, key=lambda name: abs(one.contributions[name])) for one in found]
    assert most.count(WITH_PRODUCT.expressions[0]) > 40


def test_document_without_expressions_or_steps_is_written_as_before():
    made = fit_final(plan_of(800), replace(WITH_PRODUCT, expressions=()), SET, "p", pins=PINS)
    assert b"expressions" not in made.encode()
    assert b"steps" not in made.encode()


def test_calibration_that_is_no_map_is_refused():
    made = fit_final(plan_of(800), WITH_PRODUCT, SET, "p", pins=PINS)
    for steps in (((0.1, 0.2), (0.3, 0.2)), ((0.1, 0.2),), ((0.1,), ("x",))):
        with pytest.raises(PortableError, match="calibration"):
            PortableModel(replace(made, steps=steps))
    with pytest.raises(PortableError, match="not there"):
        PortableModel(replace(made, expressions=("product(a, b)",)))


def test_expression_that_is_unknown_is_named():
    share = f"share({NAMES[0]}, {NAMES[1]})"
    spec = replace(WITH_PRODUCT, expressions=(share,))
    model = PortableModel(fit_final(plan_of(800), spec, SET, "p", pins=PINS))
    assert model.unknown(np.zeros(2)) == [share]
    assert model.unknown(np.array([np.nan, 1.0])) == [NAMES[0], share]
    assert model.unknown(np.ones(2)) == []
