"""What an entry of a known quantity must satisfy besides the limits: minimums, stop, cash, risk."""

from datetime import timedelta
from decimal import Decimal

from models.trading.account.figures import volatility_age_maximum
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.risk.limits import AccountLimits
from models.trading.risk.sizing import SizingResult
from models.trading.verdicts import Check

ZERO = Decimal(0)


def is_large_enough(
    limits: AccountLimits, instrument: Instrument, quantity: Decimal, stop_price: Decimal
) -> bool:
    """Tell whether an entry could be sold again at its stop: by the pair, and by the account."""
    worth = quantity * stop_price
    return instrument.meets_minimum(quantity, stop_price) and worth >= limits.trade_minimum


def check_minimum(
    limits: AccountLimits, instrument: Instrument, quantity: Decimal, stop_price: Decimal
) -> Check:
    """Require the minimums, also at the stop: what cannot be protected is not bought."""
    least = instrument.quantity_minimum
    passed = is_large_enough(limits, instrument, quantity, stop_price)
    usd = max(instrument.cost_minimum, limits.trade_minimum)
    reason = f"{quantity} against the minimum of {least} and {usd} USD"
    return Check("R-1", "below-minimum", passed, reason, quantity, least)


def check_stop(limits: AccountLimits, entry_price: Decimal, stop_price: Decimal) -> Check:
    """Require a stop below the entry, not closer than the account allows (R-1)."""
    distance = (entry_price - stop_price) / entry_price
    least = limits.stop_distance_minimum
    reason = f"stop is {distance:.4%} below the entry, at least {least:.4%} is asked for"
    return Check("R-1", "stop-on-wrong-side", distance >= least, reason, distance, least)


def check_volatility(market: MarketSnapshot, age_maximum: timedelta) -> Check:
    """Require to know how far the pair moves, of late: what is not known bounds nothing (R-2)."""
    figures = (market.average_true_range, market.volatility)
    # Zero is no figure: a pair that has not traded has not shown how far it moves.
    if any(one is None or not one.is_finite() or one <= ZERO for one in figures):
        reason = f"volatility or range of {market.symbol} is not known"
    elif market.measured_at is None:
        reason = f"when the volatility of {market.symbol} was measured is not known"
    else:
        age = market.observed_at - market.measured_at
        reason = f"volatility measured {age.total_seconds() / 3600:.1f} h ago"
        most = volatility_age_maximum(age_maximum, market.bar_minutes)
        return Check("R-2", "volatility-unknown", age <= most, reason)
    return Check("R-2", "volatility-unknown", passed=False, reason=reason)


def check_cash(needed: Decimal, spendable: Decimal) -> Check:
    """Require the cash, beyond the reserve and what other entries are promised (R-5)."""
    reason = f"{needed:.2f} USD needed against {spendable:.2f} USD to spend"
    return Check("R-5", "insufficient-balance", needed <= spendable, reason, needed, spendable)


def check_risk(loss: Decimal, allowed: Decimal) -> Check:
    """Bound what is lost at the stop, fees and slippage included (R-2); both in USD."""
    reason = f"loss at the stop {loss:.2f} USD against {allowed:.2f} USD at risk allowed"
    return Check("R-2", "limit-exceeded", loss <= allowed, reason, loss, allowed)


def check_pair_trades(open_now: int, limits: AccountLimits) -> Check:
    """Bound the number of trades at once in the pair (R-3)."""
    figure, limit = Decimal(open_now + 1), Decimal(limits.open_trades_per_pair)
    reason = f"{figure} trades at once in the pair against {limit} allowed"
    return Check("R-3", "limit-exceeded", figure <= limit, reason, figure, limit)


def too_small(limits: AccountLimits, sizing: SizingResult, instrument: Instrument) -> Check:
    """Refuse because the binding cap leaves less than the pair's minimums (R-2)."""
    least, binding = instrument.quantity_minimum, sizing.binding
    reason = (
        f"{binding.name} leaves {sizing.quantity}, below the minimum of {least} "
        f"and {max(instrument.cost_minimum, limits.trade_minimum)} USD"
    )
    return Check("R-2", binding.code, False, reason, sizing.quantity, least)  # noqa: FBT003
