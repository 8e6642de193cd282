"""The search is bounded, and a killed one goes on as if it had not been."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.estimators.estimator import WITH, EstimatorError, EstimatorSpec
from models.learning.features.expressions import Expression
from models.learning.training.daily import daily_question
from models.learning.training.question import TrialResult
from models.learning.training.tuning import MOST_EXPRESSIONS, SPACE, next_trial

QUESTION = daily_question()


def result(spec: EstimatorSpec) -> TrialResult:
    """Return a trial that is the better, the larger its penalty: something to be learnt."""
    rng = np.random.default_rng(1)
    net = rng.normal(0, 0.01, 200) + 1e-4 * np.log(spec.parameters["penalty"])
    return TrialResult(spec.describe(), net, net * 0, np.empty(0), None, ())


def search(finished: list[TrialResult]) -> list[str]:
    found = list(finished)
    while (spec := next_trial(QUESTION, found)) is not None:
        found.append(result(spec))
    return [one.trial for one in found]


def test_own_trials_come_first_and_the_search_ends():
    found = search([])
    assert found[: len(QUESTION.trials)] == [spec.describe() for spec in QUESTION.trials]
    assert len(found) == len(set(found)) == QUESTION.planned <= QUESTION.limits.most_trials
    for trial in found[len(QUESTION.trials) :]:
        spec = EstimatorSpec.parse(trial)
        parameters = spec.parameters
        assert len(spec.expressions) <= MOST_EXPRESSIONS
        for name, among in SPACE.items():
            assert among.low <= parameters[name] <= among.high


def test_every_expression_that_is_tried_is_a_trial_of_its_own():
    found = search([])
    searched = [trial for trial in found if WITH in trial]
    assert searched == found[-QUESTION.discovered :]
    expressions = [EstimatorSpec.parse(trial).expressions[-1] for trial in searched]
    assert len(set(expressions)) == QUESTION.discovered
    for text in expressions:
        parsed = Expression.parse(text)
        assert {parsed.left, parsed.right} <= set(QUESTION.features)


@pytest.mark.parametrize("finished", range(QUESTION.planned))
def test_resumed_search_is_the_same(finished):
    whole = search([])
    resumed = [result(EstimatorSpec.parse(trial)) for trial in whole[:finished]]
    assert search(resumed) == whole


def test_the_name_of_a_trial_tells_its_parameters():
    spec = EstimatorSpec("committee", {"penalty": 0.123, "leaves": 3, "rounds": 40})
    assert EstimatorSpec.parse(spec.describe()).parameters == spec.parameters
    whole = replace(spec, expressions=("share(a, b)", "product(a, c)"))
    assert EstimatorSpec.parse(whole.describe()) == whole
    strange = ("committee(leaves=3) with eval(a, b)", "committee(leaves=3) with share(a)")
    for text in ("no-trade", "committee(leaves=x)", "committee(leaves", *strange):
        with pytest.raises(EstimatorError):
            EstimatorSpec.parse(text)
