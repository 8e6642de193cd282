"""Regimes: hysteresis, unknown states, filters that do not look ahead, states that keep names."""

import math

import numpy as np
import pytest

from models.learning.regime.markov import RegimeError, fit_regimes
from models.learning.regime.rule import RegimeRule, read_regimes
from models.trading.strategies.orchestrator import Regime

RULE = RegimeRule(enter=1.0, leave=0.25, history=10)


def regimes(trend: list[float], volatility: float = 1.0) -> list[Regime | None]:
    calm = np.full(len(trend), volatility)
    return [reading.regime for reading in read_regimes(np.array(trend), calm, RULE)]


class TestRule:
    def test_a_trend_is_kept_until_it_fades(self) -> None:
        found = regimes([0] * 6 + [1.1, 0.5, 0.3, 0.2, 0.9, -1.2])
        assert found[6:] == [
            Regime.BULLISH, Regime.BULLISH, Regime.BULLISH,
            Regime.SIDEWAYS, Regime.SIDEWAYS, Regime.BEARISH,
        ]  # fmt: skip

    def test_a_missing_trend_is_unknown(self) -> None:
        found = regimes([0] * 6 + [1.1, math.nan, 0.5])
        assert found[7:] == [None, Regime.SIDEWAYS]

    def test_too_short_a_history_is_unknown(self) -> None:
        assert regimes([2.0] * 4) == [None] * 4

    def test_a_wild_market_needs_more(self) -> None:
        trend, volatility = np.full(20, 1.2), np.concatenate([np.full(19, 1.0), [5.0]])
        found = read_regimes(trend, volatility, RULE)
        assert found[18].regime is Regime.BULLISH
        assert found[19].tercile == 2
        alone = read_regimes(np.concatenate([np.zeros(19), [1.2]]), volatility, RULE)
        assert alone[19].regime is Regime.SIDEWAYS

    def test_no_reading_looks_ahead(self) -> None:
        rng = np.random.default_rng(1)
        trend, volatility = rng.normal(0, 1, 200), rng.gamma(2, 1, 200)
        whole = read_regimes(trend, volatility, RULE)
        assert repr(read_regimes(trend[:120], volatility[:120], RULE)) == repr(whole[:120])

    def test_it_cannot_be_left_before_it_is_entered(self) -> None:
        with pytest.raises(ValueError, match="regime"):
            RegimeRule(enter=0.2, leave=0.3)


class TestMarkov:
    @staticmethod
    def market(seed: int, size: int = 1_500) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        states = np.zeros(size, dtype=int)
        for row in range(1, size):
            states[row] = states[row - 1] if rng.random() < 0.98 else 1 - states[row - 1]
        return rng.normal([0.001, -0.002], [0.01, 0.04], (size, 2))[np.arange(size), states], states

    def test_states_are_found_and_keep_their_names(self) -> None:
        returns, states = self.market(1)
        for seed in range(2):
            model = fit_regimes(returns, 2, np.random.default_rng(seed), restarts=3)
            assert model.deviations == pytest.approx([0.01, 0.04], rel=0.1)
            assert np.mean(model.filtered(returns).argmax(axis=1) == states) > 0.95

    def test_the_filter_never_looks_ahead(self) -> None:
        returns, _ = self.market(2, 600)
        model = fit_regimes(returns, 2, np.random.default_rng(1), restarts=2)
        whole = model.filtered(returns)
        changed = np.concatenate([returns[:400], -5 * returns[400:]])
        assert np.array_equal(model.filtered(returns[:400]), whole[:400])
        assert np.array_equal(model.filtered(changed)[:400], whole[:400])

    @pytest.mark.parametrize("returns", [np.zeros(500), np.full(500, np.nan), np.ones(20)])
    def test_too_little_is_refused(self, returns: np.ndarray) -> None:
        with pytest.raises(RegimeError):
            fit_regimes(returns, 2, np.random.default_rng(1))
