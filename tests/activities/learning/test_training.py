"""The steps of a training without Temporal's server: resumed, counted, refused where data moved."""

import numpy as np
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.adapters.candle_files.snapshots import read_snapshot
from activities.learning.training import TrainingActivities
from activities.ports.learning.snapshots import SnapshotError
from activities.ports.learning.training import LedgerTrial, TrialKey
from models.contracts.learning import TrainingRequest
from models.learning.training.question import TrialResult
from tests.support.learning.training import FakeLedger, short_question, write_market

ASKED = TrainingRequest("run-1", "anna", "try")


def steps(ledger, directory):
    return TrainingActivities(ledger, directory, read_snapshot, "code", short_question)


async def test_killed_training_goes_on_with_the_trial_that_was_not_finished(tmp_path):
    ledger, run = FakeLedger(), ActivityEnvironment().run
    first = steps(ledger, write_market(tmp_path))
    planned = await run(first.plan_training, ASKED)
    ledger.fail_after = 1
    with pytest.raises(ConnectionError):
        await run(first.run_trials, ASKED, planned.data_hash)
    # Another process, which knows nothing but the ledger and the data.
    second = steps(ledger, tmp_path)
    done = await run(second.run_trials, ASKED, planned.data_hash)
    assert (done.finished, done.run_now) == (2, 1)
    assert len(ledger.added) == len(set(ledger.added)) == 2
    judged = await run(second.judge_training, ASKED, planned.data_hash)
    assert not judged.passed
    assert judged.reasons == ledger.verdicts["run-1"].reasons


async def test_same_training_again_runs_nothing_and_comes_to_the_same(tmp_path):
    ledger, run = FakeLedger(), ActivityEnvironment().run
    verdicts = []
    for run_id in ("run-1", "run-2"):
        asked = TrainingRequest(run_id, "anna", "try")
        one = steps(ledger, write_market(tmp_path))
        planned = await run(one.plan_training, asked)
        await run(one.run_trials, asked, planned.data_hash)
        await run(one.judge_training, asked, planned.data_hash)
        verdicts.append(ledger.verdicts[run_id])
    assert len(ledger.added) == 2
    assert repr(verdicts[0]) == repr(verdicts[1])


async def test_trials_of_other_questions_on_the_same_data_count(tmp_path):
    ledger, run = FakeLedger(), ActivityEnvironment().run
    one = steps(ledger, write_market(tmp_path))
    planned = await run(one.plan_training, ASKED)
    rng = np.random.default_rng(3)
    for number in range(19):
        net = rng.normal(0, 0.01, 500)
        result = TrialResult(f"other-{number}", net, net * 0, np.empty(0), None, ())
        ledger.entries[TrialKey(planned.data_hash, "q"), result.trial] = LedgerTrial(
            "q", 500 * 86_400, 86_400, result
        )
    # The market is a walk at random: give the own trials results that vary.
    own = await one.planner.of("")
    for spec in own.plan.question.trials:
        net = rng.normal(0, 0.01, own.plan.periods.count)
        result = TrialResult(spec.describe(), net, net * 0, np.empty(0), None, ())
        ledger.entries[own.key, result.trial] = LedgerTrial(
            own.key.question, own.plan.periods.begins, 86_400, result
        )
    judged = await run(one.judge_training, ASKED, planned.data_hash)
    assert "trials" in judged.reasons  # 21 are more than the 20 of a question


async def test_data_that_changed_meanwhile_end_the_run(tmp_path):
    ledger, run = FakeLedger(), ActivityEnvironment().run
    planned = await run(steps(ledger, write_market(tmp_path)).plan_training, ASKED)
    write_market(tmp_path, seed=2)
    with pytest.raises(ApplicationError, match="has changed") as error:
        await run(steps(ledger, tmp_path).run_trials, ASKED, planned.data_hash)
    assert error.value.non_retryable


async def test_directory_without_candles_ends_the_run(tmp_path):
    with pytest.raises(ApplicationError, match="0 daily candles"):
        await ActivityEnvironment().run(steps(FakeLedger(), tmp_path).plan_training, ASKED)
    with pytest.raises(SnapshotError):
        read_snapshot(tmp_path)


def test_hash_of_the_data_depends_on_every_candle(tmp_path):
    one = read_snapshot(write_market(tmp_path))
    assert read_snapshot(tmp_path).hash == one.hash
    assert read_snapshot(write_market(tmp_path, days=1_599)).hash != one.hash
