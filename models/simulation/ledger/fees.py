"""Kraken's spot fee schedules as data, and what they mean for one fill (§11)."""

from bisect import bisect_right
from decimal import ROUND_HALF_UP, Decimal

from models.simulation.outcomes import FeeFigures
from models.trading.instruments import Instrument
from models.trading.risk.limits import FeeRates

_HUNDRED = Decimal(100)

# Effective 2026-07-09: 30-day volume in USD, maker and taker in percent.
CRYPTO_SCHEDULE = tuple(
    (Decimal(volume), Decimal(maker), Decimal(taker))
    for volume, maker, taker in (
        ("0", "0.40", "0.80"),
        ("2500", "0.30", "0.60"),
        ("10000", "0.22", "0.38"),
        ("25000", "0.20", "0.35"),
        ("50000", "0.15", "0.30"),
        ("100000", "0.12", "0.25"),
        ("250000", "0.10", "0.22"),
        ("500000", "0.08", "0.20"),
        ("1000000", "0.06", "0.18"),
        ("2500000", "0.04", "0.15"),
        ("5000000", "0.02", "0.12"),
        ("10000000", "0.00", "0.10"),
        ("50000000", "0.00", "0.09"),
        ("100000000", "0.00", "0.08"),
        ("250000000", "0.00", "0.07"),
        ("400000000", "0.00", "0.06"),
        ("500000000", "0.00", "0.05"),
    )
)
# Pairs with a stable or fiat base. Only the two ends are documented, so only they are modelled;
# the upper one is put at the crypto schedule's first maker-free tier.
STABLE_SCHEDULE = (
    (Decimal(0), Decimal("0.20"), Decimal("0.20")),
    (Decimal(10000000), Decimal("0.00"), Decimal("0.001")),
)
STABLE_BASES = frozenset(
    ("USDT", "USDC", "DAI", "PYUSD", "USDG", "RLUSD", "TUSD", "EUR", "GBP", "AUD", "CAD", "CHF")
)


def is_stable(instrument: Instrument) -> bool:
    """Tell whether the pair has the stable schedule; its volume moves no tier."""
    return instrument.base in STABLE_BASES


def rates(instrument: Instrument, volume: Decimal) -> FeeRates:
    """Return maker and taker rates as shares of cost at a 30-day volume."""
    schedule = STABLE_SCHEDULE if is_stable(instrument) else CRYPTO_SCHEDULE
    _, maker, taker = schedule[_tier(schedule, volume)]
    return FeeRates(maker / _HUNDRED, taker / _HUNDRED)


def figures(instrument: Instrument, volume: Decimal) -> tuple[FeeFigures, FeeFigures]:
    """Return the taker and the maker figures of TradeVolume."""
    schedule = STABLE_SCHEDULE if is_stable(instrument) else CRYPTO_SCHEDULE
    tier = _tier(schedule, volume)
    following = schedule[tier + 1] if tier + 1 < len(schedule) else None
    return (
        _figures(schedule, tier, following, column=2),
        _figures(schedule, tier, following, column=1),
    )


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


_Schedule = tuple[tuple[Decimal, Decimal, Decimal], ...]
_STARTS = {id(s): [row[0] for row in s] for s in (CRYPTO_SCHEDULE, STABLE_SCHEDULE)}


def _tier(schedule: _Schedule, volume: Decimal) -> int:
    return bisect_right(_STARTS[id(schedule)], max(volume, Decimal(0))) - 1


def _figures(
    schedule: _Schedule,
    tier: int,
    following: tuple[Decimal, Decimal, Decimal] | None,
    column: int,
) -> FeeFigures:
    return FeeFigures(
        fee=schedule[tier][column],
        minimum_fee=schedule[-1][column],
        maximum_fee=schedule[0][column],
        tier_volume=schedule[tier][0],
        next_fee=None if following is None else following[column],
        next_volume=None if following is None else following[0],
    )
