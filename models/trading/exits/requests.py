"""What people ask of a trade's exits, and the exits that come of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from models.trading.exits.rules import ExitRules, PartialTake
from models.trading.instruments import Instrument


@dataclass(frozen=True, slots=True)
class ExitsChange:
    """Exits to be set; None leaves one as it is, ``cleared`` names those that shall be gone."""

    stop_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    trailing_distance: Decimal | None = None
    trailing_share: Decimal | None = None
    trailing_multiple: Decimal | None = None
    hold_maximum: timedelta | None = None
    break_even_gain: Decimal | None = None
    break_even_offset: Decimal | None = None
    partials: tuple[PartialTake, ...] | None = None
    cleared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExitsChangeRequested:
    """Somebody wants other exits of a trade; ``price`` is the market's, None: not known."""

    request_id: str
    by: str
    change: ExitsChange
    price: Decimal | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PendingExits:
    """Exits that protect less, and wait for a second person.

    Attributes:
        rules: what they would have come to when they were asked for.
        change: what was asked for, and shown; nothing else follows an approval.
        stop_price: where the stop stood then, which an approval of a lower one rests on.
    """

    approval_id: str
    rules: ExitRules
    change: ExitsChange | None = None
    stop_price: Decimal | None = None


CLEARABLE = (
    "take_profit_price",
    "trailing_distance",
    "trailing_share",
    "trailing_multiple",
    "hold_maximum",
    "break_even_gain",
    "partials",
)


def changed_exits(old: ExitRules, change: ExitsChange, instrument: Instrument) -> ExitRules:
    """Return the exits after a change, on the pair's tick; the stop goes down to it."""
    gone: dict[str, Any] = {
        name: () if name == "partials" else None for name in change.cleared if name in CLEARABLE
    }
    given: dict[str, Any] = {
        name: getattr(change, name)
        for name in ("break_even_offset", *CLEARABLE, "stop_price")
        if getattr(change, name) is not None
    }
    new = replace(old, **(gone | given))
    target, distance = new.take_profit_price, new.trailing_distance
    return replace(
        new,
        stop_price=instrument.floor_price(new.stop_price),
        take_profit_price=instrument.nearest_price(target) if target is not None else None,
        trailing_distance=max(instrument.price_increment, instrument.floor_price(distance))
        if distance is not None
        else None,
    )


def numbers_of(change: ExitsChange) -> tuple[Decimal, ...]:
    """Return every number of a change, so that what is no number can be refused first."""
    named = (
        change.stop_price,
        change.take_profit_price,
        change.trailing_distance,
        change.trailing_share,
        change.trailing_multiple,
        change.break_even_gain,
        change.break_even_offset,
    )
    partials = change.partials or ()
    shares = [n for part in partials for n in (part.gain_share, part.quantity_share)]
    return (*(n for n in named if n is not None), *shares)
