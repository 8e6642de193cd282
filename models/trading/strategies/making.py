"""What every strategy needs to make an idea of what it has found."""

from datetime import timedelta
from decimal import Decimal
from math import isfinite

from models.trading.exits.distances import Exits, round_exits
from models.trading.ideas import Idea
from models.trading.identities import idea_id
from models.trading.instruments import Instrument
from models.trading.market import Candle
from models.trading.strategies.strategy import Strategy

DAY_MINUTES = 1440
DAYS_PER_YEAR = 365
"""Crypto trades every day."""
WEIGHT_STEP = Decimal("0.0001")


def decimal_of(figure: float) -> Decimal:
    """Return a measured figure as a decimal: the shortest text that is this float."""
    return Decimal(repr(figure))


def make_idea(
    strategy: Strategy,
    bar: Candle,
    instrument: Instrument,
    installation: str,
    exits: Exits,
    reasons: tuple[str, ...],
    target_weight: float | None = None,
    lifetime_bars: int = 1,
) -> Idea | None:
    """Return the idea with its exits on the tick, None where a figure is no price.

    A weight of zero is an idea as well: that nothing shall be held.
    """
    prices = [exits.stop_price, exits.take_profit_price, exits.trailing_distance]
    if any(price is not None and (not price.is_finite() or price <= 0) for price in prices):
        return None
    if target_weight is not None and not isfinite(target_weight):
        return None
    exits = round_exits(instrument, exits)
    length = timedelta(minutes=bar.interval_minutes)
    name = idea_id(installation, strategy.name, strategy.version, bar.symbol, bar.start.isoformat())
    weight = None if target_weight is None else decimal_of(target_weight).quantize(WEIGHT_STEP)
    return Idea(
        idea_id=name,
        strategy=strategy.name,
        strategy_version=strategy.version,
        symbol=bar.symbol,
        bar_start=bar.start,
        expires_at=bar.start + length * (1 + lifetime_bars),
        stop_price=exits.stop_price,
        take_profit_price=exits.take_profit_price,
        trailing_distance=exits.trailing_distance,
        reasons=reasons,
        target_weight=weight,
        standing=strategy.standing,
    )


def follows(bar: Candle, before: Candle | None, gap_maximum: int = 0) -> bool:
    """Tell whether a bar continues the one before it, with at most so many bars absent between.

    A bar without trades does not exist, so a gap may be a quiet market or a broken feed; an average
    over a long one would pass one off as the other.
    """
    if before is None:
        return False
    length = timedelta(minutes=bar.interval_minutes)
    return length <= bar.start - before.start <= length * (1 + gap_maximum)
