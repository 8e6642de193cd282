"""Strategies: pure functions from bars to ideas. Learned models come in behind the same seam."""

from models.trading.strategies.donchian import DonchianEnsemble
from models.trading.strategies.intraday_breakout import IntradayBreakout
from models.trading.strategies.mean_reversion import MeanReversion
from models.trading.strategies.momentum import CrossSectionalMomentum
from models.trading.strategies.registry import StrategyRegistry, UnknownStrategyError
from models.trading.strategies.strategy import Strategy, StrategyStanding
from models.trading.strategies.trend import TrendStrategy
from models.trading.strategies.upper_half import UpperHalf
from models.trading.strategies.volatility_managed import VolatilityManaged

__all__ = ["Strategy", "StrategyRegistry", "StrategyStanding", "UnknownStrategyError", "known"]


def known() -> StrategyRegistry:
    """Return the registry of every strategy that is part of this release."""
    return StrategyRegistry(
        (
            VolatilityManaged(),
            DonchianEnsemble(),
            CrossSectionalMomentum(),
            MeanReversion(),
            IntradayBreakout(),
            UpperHalf(),
            TrendStrategy(),
            TrendStrategy(name="demonstration", standing=StrategyStanding.DEMONSTRATION),
        )
    )
