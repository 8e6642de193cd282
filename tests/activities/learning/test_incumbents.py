"""A training holds its candidate against the champion in force, run again on the same data."""

from dataclasses import replace

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.learning.training import TrainingActivities
from activities.ports.learning.models import RegisteredModel
from models.contracts.learning import TrainingRequest
from models.learning.estimators.estimator import EstimatorSpec
from tests.support.learning.planted import PLAIN, PRODUCT, PlantedPlanner, planted_plan
from tests.support.learning.training import FakeLedger

ASKED = TrainingRequest("run-2", "anna", "try")
REASON = "superior_to_champion"


def registered(trial: str, feature_hash: str) -> RegisteredModel:
    return RegisteredModel(2, "run-1", trial, "sha", "signature", feature_hash, "d" * 64, "code")


def asked(tmp_path, ledger: FakeLedger, candidate: EstimatorSpec) -> TrainingActivities:
    one = TrainingActivities(ledger, tmp_path, read_snapshot, "code")
    features = one.features
    one._planner = PlantedPlanner(planted_plan(candidate))
    if ledger.champions[-1] == "run-1" and "run-1" in ledger.models:
        model = ledger.models["run-1"]
        ledger.models["run-1"] = replace(
            model, feature_hash=model.feature_hash or features.fingerprint
        )
    return one


async def judged(one: TrainingActivities):
    run = ActivityEnvironment().run
    await run(one.run_trials, ASKED, "d" * 64)
    return await run(one.judge_training, ASKED, "d" * 64)


def with_champion(trial: str, feature_hash: str = "") -> FakeLedger:
    ledger = FakeLedger()
    ledger.champions.append("run-1")
    ledger.models["run-1"] = registered(trial, feature_hash)
    return ledger


async def test_worse_than_a_good_champion_is_refused(tmp_path):
    ledger = with_champion(PRODUCT.describe())
    found = await judged(asked(tmp_path, ledger, PLAIN))
    assert (found.passed, found.reasons) == (False, (REASON,))
    # The champion is no trial of this run: nothing can be chosen from it.
    assert ledger.added == [PLAIN.describe()]


async def test_better_than_the_champion_passes(tmp_path):
    found = await judged(asked(tmp_path, with_champion(PLAIN.describe()), PRODUCT))
    assert (found.passed, found.reasons) == (True, ())


async def test_no_champion_is_no_trade(tmp_path):
    found = await judged(asked(tmp_path, FakeLedger(), PLAIN))
    assert found.passed


async def test_champion_of_the_same_trial_stays(tmp_path):
    found = await judged(asked(tmp_path, with_champion(PLAIN.describe()), PLAIN))
    assert (found.passed, found.reasons) == (False, (REASON,))


@pytest.mark.parametrize(
    ("trial", "feature_hash", "why"),
    [
        (PRODUCT.describe(), "of another release", "other features"),
        ("who knows", "", "cannot be run again"),
    ],
)
async def test_champion_that_cannot_be_run_again_refuses(tmp_path, trial, feature_hash, why):
    found = await judged(asked(tmp_path, with_champion(trial, feature_hash), PRODUCT))
    assert not found.passed
    assert found.reasons[0].startswith(REASON)
    assert why in found.reasons[0]


async def test_champion_that_is_not_registered_refuses(tmp_path):
    ledger = FakeLedger()
    ledger.champions.append("run-1")
    found = await judged(asked(tmp_path, ledger, PRODUCT))
    assert found.reasons == (f"{REASON}: the champion, run run-1, is not registered",)
