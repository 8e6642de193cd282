"""Sweeps make every combination, and walk-forward chooses by the past only."""

import numpy as np
import pytest

from models.learning.backtest.rules import FillRules, Portfolio
from models.learning.backtest.series import Series
from models.learning.backtest.study import try_strategy
from models.learning.backtest.variants import VariantError, variants, walk_forward
from models.trading.strategies import known
from tests.models.learning.backtest.backtest_builders import wandering

DONCHIAN = known().by_name("donchian_ensemble")


def test_every_combination_is_made_and_named():
    made = variants(DONCHIAN, {"volatility_target": ["0.2", "0.4"], "channels": ["5/10", "20"]})
    assert [(m.volatility_target, m.channels) for m in made] == [
        (0.2, (5, 10)),
        (0.2, (20,)),
        (0.4, (5, 10)),
        (0.4, (20,)),
    ]
    assert made[0].name == "donchian_ensemble[volatility_target=0.2,channels=5/10]"
    assert variants(DONCHIAN, {}) == [DONCHIAN]


@pytest.mark.parametrize("sweep", [{"nonsense": ["1"]}, {"name": ["x"]}, {"channels": ["x"]}])
def test_what_cannot_be_swept_is_refused(sweep):
    with pytest.raises(VariantError):
        variants(DONCHIAN, sweep)


def test_walk_forward_knows_no_fold_before_it_is_over():
    bars = wandering(3, 700, interval=1440, volume=1e6, spread=250)
    made = variants(DONCHIAN, {"channels": ["5/10", "20/40"]})
    trials = [try_strategy(m, [Series("v", bars)], FillRules(), Portfolio()) for m in made]
    found = walk_forward(trials, 100_000, 0.008, training_days=200, fold_days=60)
    assert found is not None
    assert len(found.equity) == 60 * len(found.chosen)
    # Another future after the first fold's training changes nothing of what was chosen for it.
    other = [np.array(trial.equity) for trial in trials]
    for trial, equity in zip(trials, other, strict=True):
        object.__setattr__(trial, "equity", np.concatenate([equity[:260], equity[260:] * 0.5]))
    again = walk_forward(trials, 100_000, 0.008, training_days=200, fold_days=60)
    assert again is not None
    assert again.chosen[0] == found.chosen[0]
    assert walk_forward(trials, 100_000, 0.008, training_days=5000) is None
