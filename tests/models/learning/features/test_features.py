"""Features: live equals history, none looks ahead, warm-up does not matter, unknown is NaN."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.learning.features import definitions as define
from models.learning.features.bars import Bars, BarsError
from models.learning.features.catalogue import (
    FeatureSet,
    LiveFeatures,
    daily_features,
    hourly_features,
)
from models.learning.features.definitions import Feature

SETS = [daily_features(), hourly_features()]


def random_bars(size: int, seed: int, seconds: int = 3_600, absent: float = 0.0) -> Bars:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, size)))
    opened = np.concatenate([[100.0], close[:-1]])
    columns = {
        "open": opened,
        "high": np.maximum(opened, close) * 1.002,
        "low": np.minimum(opened, close) * 0.998,
        "close": close,
        "volume": rng.gamma(2, 10, size),
        "bought": rng.uniform(0, 1, size),
        "reference": 30_000 * np.exp(np.cumsum(rng.normal(0, 0.01, size))),
    }
    gone = rng.random(size) < absent
    for column in columns.values():
        column[gone] = np.nan
    return Bars(np.arange(size) * seconds, seconds, **columns)


@pytest.mark.parametrize("features", SETS, ids=lambda found: found.name)
@pytest.mark.parametrize("absent", [0.0, 0.002])
def test_live_equals_history(features: FeatureSet, absent: float) -> None:
    bars = random_bars(400, 1, absent=absent)
    history = features.vectors(bars)
    live = LiveFeatures(features, bars.seconds)
    for number in range(len(bars)):
        if not math.isnan(bars.close[number]):
            bar = {name: float(bars.column(name)[number]) for name in bars.names()}
            vector = live.after(int(bars.time[number]), bar)
            np.testing.assert_allclose(vector, history[number], rtol=1e-9, equal_nan=True)
    assert np.isfinite(history).any(axis=0).all()


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(180, 399), future=st.integers(0, 10_000))
@pytest.mark.parametrize("features", SETS, ids=lambda found: found.name)
def test_no_feature_looks_ahead(features: FeatureSet, cut: int, future: int) -> None:
    bars, other = random_bars(400, 2), random_bars(400, future)
    mixed = {
        name: np.concatenate([bars.column(name)[:cut], other.column(name)[cut:]])
        for name in bars.names()
    }
    whole = features.vectors(bars)[:cut]
    assert np.array_equal(features.vectors(bars.part(0, cut)), whole, equal_nan=True)
    changed = features.vectors(Bars(bars.time, bars.seconds, **mixed))[:cut]
    assert np.array_equal(changed, whole, equal_nan=True)


@pytest.mark.parametrize("features", SETS, ids=lambda found: found.name)
def test_warm_up_does_not_matter(features: FeatureSet) -> None:
    bars = random_bars(600, 3)
    late = features.vectors(bars.part(300, 600))
    known = np.isfinite(late).all(axis=1)
    assert known.sum() > 100
    assert np.array_equal(late[known], features.vectors(bars)[300:][known])


def test_a_feature_that_looks_ahead_would_be_caught() -> None:
    def cheat(window: define.Window) -> np.ndarray:
        close = window["close"]
        return close.max(axis=(0, -1), keepdims=True)[:, 0] - close[..., -1]

    cheating = FeatureSet("cheating", 1, (Feature("cheat", "USD", "candles", 2, cheat),))
    bars = random_bars(300, 4)
    whole = cheating.vectors(bars)[:200]
    assert not np.array_equal(cheating.vectors(bars.part(0, 200)), whole, equal_nan=True)


class TestValues:
    def window(self, **columns: list[float]) -> define.Window:
        return define.Window(
            np.array([0]),
            86_400,
            {name: np.array([column], dtype=float) for name, column in columns.items()},
        )

    def test_a_return(self) -> None:
        found = define.log_return(2).measure(self.window(close=[100, 105, 110]))
        assert found[0] == pytest.approx(math.log(1.1))

    def test_parkinson(self) -> None:
        found = define.parkinson_volatility(1).measure(self.window(high=[110.0], low=[100.0]))
        assert found[0] == pytest.approx(math.log(1.1) / math.sqrt(4 * math.log(2)))

    def test_order_flow(self) -> None:
        window = self.window(volume=[10, 30], bought=[1.0, 0.5])
        assert define.order_flow(2).measure(window)[0] == pytest.approx(0.25)

    def test_a_market_that_stands_still_has_no_deviations(self) -> None:
        found = define.reversion(3).measure(self.window(close=[100, 100, 100]))
        assert math.isnan(found[0])

    def test_no_volume_is_no_balanced_flow(self) -> None:
        window = self.window(volume=[0, 0], bought=[math.nan, math.nan])
        assert math.isnan(define.order_flow(2).measure(window)[0])


class TestRefusals:
    def test_bars_off_the_grid(self) -> None:
        bars = random_bars(10, 1)
        with pytest.raises(BarsError):
            Bars(bars.time * 2, bars.seconds, **{n: bars.column(n) for n in bars.names()})

    @pytest.mark.parametrize("time", [7_200, 3_600, 9_000])
    def test_a_live_bar_that_does_not_follow(self, time: int) -> None:
        live = LiveFeatures(daily_features(), 3_600)
        live.after(7_200, {"close": 1.0})
        with pytest.raises(BarsError):
            live.after(time, {"close": 1.0})

    def test_features_of_one_name(self) -> None:
        with pytest.raises(BarsError):
            FeatureSet("twice", 1, (define.log_return(1), define.log_return(1)))


def test_a_set_is_known_by_its_fingerprint() -> None:
    assert daily_features().fingerprint == daily_features().fingerprint
    assert daily_features().fingerprint != hourly_features().fingerprint
