"""The watch leaves the healthy alone and withdraws who has turned."""

import numpy as np
import pytest

from models.learning.watching.champion import Decided, make_watch
from models.learning.watching.cusum import WatchError
from tests.support.learning.champions import baseline


@pytest.fixture(scope="module")
def watch():
    found = baseline(1_000)
    return make_watch(np.asarray(found.losses), np.asarray(found.results), np.random.default_rng(1))


def decisions(right: float, count: int, seed: int = 3) -> list[Decided]:
    wins = np.random.default_rng(seed).random(count) < right
    return [Decided(0.65, 0.14 if win else -0.09, True) for win in wins]


def test_healthy_champion_stays(watch):
    assert watch.alarm(decisions(0.65, 500)) == ""


def test_turned_champion_is_withdrawn_within_trades(watch):
    turned = decisions(0.35, 60)
    assert watch.first_alarm(turned) <= 30
    assert watch.alarm(turned)


def test_fall_from_the_high_counts_where_the_sums_are_patient(watch):
    # Losses so large that no single probability is wrong, but the wealth is gone.
    large = [Decided(0.5, -watch.drawdown / 3, True)] * 4
    assert "healthy" in watch.alarm(large) or "fallen" in watch.alarm(large)


def test_what_is_not_taken_counts_for_the_probabilities_only(watch):
    idle = [Decided(0.65, -0.09, False)] * 200
    assert "log-losses" in watch.alarm(idle)


def test_unknown_figure_is_no_zero(watch):
    with pytest.raises(WatchError):
        watch.alarm([Decided(float("nan"), 0.1, True)])
    with pytest.raises(WatchError):
        watch.alarm([Decided(0.65, float("nan"), True)])


def test_short_record_makes_no_watch():
    few = np.ones(5)
    with pytest.raises(WatchError, match="30"):
        make_watch(few, few, np.random.default_rng(1))
    with pytest.raises(WatchError, match="deviation"):
        make_watch(np.ones(50), np.ones(50), np.random.default_rng(1))
