"""A champion is beaten on the same days at the same risk, or it stays."""

from dataclasses import replace

import numpy as np
import pytest

from models.learning.challengers.judged import judge_challenger
from models.learning.estimators.estimator import EstimatorSpec
from models.learning.training.fitting import run_trial
from models.learning.training.incumbent import Incumbent, rerun
from models.learning.training.verdict import conclude
from tests.support.learning.planted import PLAIN, PRODUCT, planted_plan


def asked(candidate: EstimatorSpec, champion: Incumbent | None):
    plan = planted_plan(candidate)
    return conclude(plan, [run_trial(plan, candidate)], np.random.default_rng(1), champion=champion)


def finding(report, test: str):
    return next(one for one in report.findings if one.test == test)


def test_candidate_that_is_worse_than_the_champion_is_refused_by_that_alone():
    champion = rerun(planted_plan(PRODUCT), PRODUCT.describe())
    found = asked(PLAIN, champion)
    assert found.report.reasons == ("superior_to_champion",)
    assert finding(found.report, "superior_to_champion").note == PRODUCT.describe()
    # Held against no trade only, it would have been promoted.
    alone = asked(PLAIN, None)
    assert alone.promoted
    assert finding(alone.report, "superior_to_no_trade").note == "no trade is the champion"


def test_candidate_that_is_better_than_the_champion_passes():
    found = asked(PRODUCT, rerun(planted_plan(PLAIN), PLAIN.describe()))
    assert found.promoted
    assert finding(found.report, "superior_to_champion").figure <= 0.05


def test_candidate_is_not_better_for_staking_more():
    champion = rerun(planted_plan(PLAIN), PLAIN.describe())
    plan = planted_plan(PLAIN)
    own = run_trial(plan, PLAIN)
    doubled = replace(own, net=2 * own.net, costs=2 * own.costs)
    found = conclude(plan, [doubled], np.random.default_rng(1), champion=champion)
    assert finding(found.report, "superior_to_champion").figure == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("trial", "why"),
    [
        ("no-trade", "names no trial"),
        ("tabular(decay=0.9)", "fold"),
        ("logistic(penalty=1) with product(first, fifth)", "cannot be run again"),
    ],
)
def test_champion_that_cannot_be_run_again_refuses_with_the_reason(trial, why):
    champion = rerun(planted_plan(PLAIN), trial)
    assert champion.net is None
    found = asked(PRODUCT, champion)
    assert not found.promoted
    (reason,) = found.report.reasons
    assert reason.startswith("superior_to_champion: the champion")
    assert why in reason


def test_challenger_of_another_kind_meets_the_champion_as_well():
    plan = planted_plan(PLAIN)
    worse = run_trial(plan, PLAIN)
    champion = rerun(plan, PRODUCT.describe())
    reports = [
        judge_challenger(plan, worse, worse.net[:, None], np.random.default_rng(1), champion=one)
        for one in (None, champion)
    ]
    assert [one.reasons for one in reports] == [(), ("superior_to_champion",)]
