"""What Kraken's dated spot fee schedules mean for one fill (§11): those of the market's day."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from models.simulation.outcomes import FeeFigures
from models.trading.instruments import Instrument
from models.trading.risk.limits import FeeRates
from models.trading.universe.fees import FeeTier, schedule_on

_HUNDRED = Decimal(100)

# Pairs with a stable or fiat base. Only the two ends are documented, so only they are modelled;
# the upper one is put at the crypto schedule's first maker-free tier.
STABLE_SCHEDULE = (
    FeeTier(Decimal(0), FeeRates(Decimal("0.002"), Decimal("0.002"))),
    FeeTier(Decimal(10000000), FeeRates(Decimal(0), Decimal("0.00001"))),
)
STABLE_BASES = frozenset(
    ("USDT", "USDC", "DAI", "PYUSD", "USDG", "RLUSD", "TUSD", "EUR", "GBP", "AUD", "CAD", "CHF")
)


def is_stable(instrument: Instrument) -> bool:
    """Tell whether the pair has the stable schedule; its volume moves no tier."""
    return instrument.base in STABLE_BASES


def rates(instrument: Instrument, volume: Decimal, day: date) -> FeeRates:
    """Return maker and taker rates as shares of cost at a 30-day volume, on a day."""
    tiers = _tiers(instrument, day)
    return tiers[_tier(tiers, volume)].rates


def figures(instrument: Instrument, volume: Decimal, day: date) -> tuple[FeeFigures, FeeFigures]:
    """Return the taker and the maker figures of TradeVolume on a day."""
    tiers = _tiers(instrument, day)
    tier = _tier(tiers, volume)
    taker = [one.rates.taker * _HUNDRED for one in tiers]
    maker = [one.rates.maker * _HUNDRED for one in tiers]
    return _figures(tiers, tier, taker), _figures(tiers, tier, maker)


def rounded_cost(instrument: Instrument, price: Decimal, quantity: Decimal) -> Decimal:
    """Return price times quantity in quote units, half up at the pair's cost precision."""
    return (price * quantity).quantize(_unit(instrument.cost_precision), rounding=ROUND_HALF_UP)


def rounded_fee(instrument: Instrument, cost: Decimal, rate: Decimal) -> Decimal:
    """Return the fee in quote units, half up at the pair's cost precision."""
    return (cost * rate).quantize(_unit(instrument.cost_precision), rounding=ROUND_HALF_UP)


def fee_in_base(instrument: Instrument, fee: Decimal, price: Decimal) -> Decimal:
    """Return a quote fee in base units at the fill's price, half up at the lot precision."""
    return (fee / price).quantize(_unit(instrument.quantity_precision), rounding=ROUND_HALF_UP)


_UNITS = tuple(Decimal(1).scaleb(-places) for places in range(20))


def _unit(places: int) -> Decimal:
    return _UNITS[places]


def _tiers(instrument: Instrument, day: date) -> Sequence[FeeTier]:
    return STABLE_SCHEDULE if is_stable(instrument) else schedule_on(day).tiers


def _tier(tiers: Sequence[FeeTier], volume: Decimal) -> int:
    return bisect_right(tiers, max(volume, Decimal(0)), key=lambda one: one.volume) - 1


def _figures(tiers: Sequence[FeeTier], tier: int, percents: Sequence[Decimal]) -> FeeFigures:
    is_last = tier + 1 == len(tiers)
    return FeeFigures(
        fee=percents[tier],
        minimum_fee=percents[-1],
        maximum_fee=percents[0],
        tier_volume=tiers[tier].volume,
        next_fee=None if is_last else percents[tier + 1],
        next_volume=None if is_last else tiers[tier + 1].volume,
    )
