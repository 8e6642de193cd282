"""The exits of an entry as prices, and their rounding onto the tick.

Where they lie is decided by each strategy, or by whoever opens the trade; ``range_exits`` is one
way.
"""

from dataclasses import dataclass
from decimal import Decimal

from models.trading.instruments import Instrument


@dataclass(frozen=True, slots=True)
class Exits:
    """The exits of one trade; prices on the pair's tick, the distance in quote units."""

    stop_price: Decimal
    take_profit_price: Decimal | None
    trailing_distance: Decimal | None


def round_exits(instrument: Instrument, exits: Exits) -> Exits:
    """Bring exits onto the tick, each to the side that risks less.

    The stop goes up, so that the loss at the stop cannot exceed what was asked for; the take-profit
    goes down, so that it is reached at the latest where it was asked for; the trailing distance
    goes down, to one tick at least.
    """
    target, distance = exits.take_profit_price, exits.trailing_distance
    return Exits(
        stop_price=instrument.ceil_price(exits.stop_price),
        take_profit_price=instrument.floor_price(target) if target is not None else None,
        trailing_distance=max(instrument.price_increment, instrument.floor_price(distance))
        if distance is not None
        else None,
    )


def range_exits(
    price: Decimal,
    true_range: Decimal,
    stop_multiple: Decimal,
    target_multiple: Decimal | None,
    trailing_multiple: Decimal | None,
) -> Exits:
    """Place exits at multiples of the average true range around a price, not yet on the tick."""
    return Exits(
        stop_price=price - true_range * stop_multiple,
        take_profit_price=price + true_range * target_multiple if target_multiple else None,
        trailing_distance=true_range * trailing_multiple if trailing_multiple else None,
    )
