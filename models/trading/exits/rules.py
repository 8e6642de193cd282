"""The exits of a trade: when to sell, when to sell a part, and when the stop follows (R-1, T-4).

Rules, the position and one price go in; the actions that are due and the position after them come
out. The stop never falls. What a partial sale leaves can still be protected, else all is sold.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from models.trading.instruments import Instrument

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PartialTake:
    """Sell a share of what was bought once the gain over the entry price reaches a share of it."""

    gain_share: Decimal
    quantity_share: Decimal


@dataclass(frozen=True, slots=True)
class ExitRules:
    """How one trade is left; shares are of the price, None: not used.

    Attributes:
        stop_price: where the stop was placed first.
        take_profit_price: where all that is left is sold.
        trailing_share: distance of a stop that follows the highest price, as a share of it.
        trailing_multiple: the same in multiples of the average true range; with both, the higher
            stop holds.
        trailing_distance: the same in quote units.
        hold_maximum: market time after which the trade is closed.
        break_even_gain: gain from which the stop goes to the entry price.
        break_even_offset: how far above it, so that the fees are paid as well.
        partials: partial sales, the smallest gain first.
    """

    stop_price: Decimal
    take_profit_price: Decimal | None = None
    trailing_share: Decimal | None = None
    trailing_multiple: Decimal | None = None
    hold_maximum: timedelta | None = None
    break_even_gain: Decimal | None = None
    break_even_offset: Decimal = ZERO
    partials: tuple[PartialTake, ...] = ()
    trailing_distance: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExitPositionState:
    """The trade as its exits see it; quantities in base units, times are market time.

    ``entry_price`` is the average paid, ``stop_price`` where the stop rests now, ``highest_price``
    the highest seen since, ``partials_taken`` how many partial sales were asked for.
    """

    instrument: Instrument
    entry_price: Decimal
    bought: Decimal
    held: Decimal
    opened_at: datetime
    stop_price: Decimal
    highest_price: Decimal
    partials_taken: int = 0
    closing: bool = False


@dataclass(frozen=True, slots=True)
class ExitMoment:
    """The last price, which triggers stops; ``average_true_range`` in USD, None: not known."""

    price: Decimal
    at: datetime
    average_true_range: Decimal | None = None


class ExitCause(StrEnum):
    """Why something is due."""

    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    TIME = "time"
    PARTIAL = "partial"
    TRAILING = "trailing"
    BREAK_EVEN = "break_even"


@dataclass(frozen=True, slots=True)
class SellAll:
    """Sell everything now."""

    cause: ExitCause


@dataclass(frozen=True, slots=True)
class SellPart:
    """Sell a base quantity now and keep the rest protected."""

    quantity: Decimal
    cause: ExitCause = ExitCause.PARTIAL


@dataclass(frozen=True, slots=True)
class MoveStop:
    """Move the stop up to a price on the tick."""

    price: Decimal
    cause: ExitCause


ExitAction = SellAll | SellPart | MoveStop


@dataclass(frozen=True, slots=True)
class ExitDecision:
    """The position once the actions are under way, and the actions in their order."""

    position: ExitPositionState
    actions: tuple[ExitAction, ...]


def decide_exits(rules: ExitRules, position: ExitPositionState, moment: ExitMoment) -> ExitDecision:
    """Return what is due at a price and a time; nothing while the trade is being closed."""
    if position.closing or position.held <= ZERO:
        return ExitDecision(position, ())
    seen = replace(position, highest_price=max(position.highest_price, moment.price))
    cause = _closing_cause(rules, seen, moment)
    if cause is not None:
        return ExitDecision(replace(seen, closing=True), (SellAll(cause),))
    seen, sold = _take_partials(rules, seen, moment.price)
    if seen.closing:
        return ExitDecision(seen, (SellAll(ExitCause.PARTIAL),))
    actions: list[ExitAction] = [SellPart(sold)] if sold > ZERO else []
    move = _stop_move(rules, seen, moment)
    if move is not None:
        seen = replace(seen, stop_price=move.price)
        actions.append(move)
    return ExitDecision(seen, tuple(actions))


def _closing_cause(
    rules: ExitRules, position: ExitPositionState, moment: ExitMoment
) -> ExitCause | None:
    if moment.price <= position.stop_price:
        return ExitCause.STOP
    target = rules.take_profit_price
    if target is not None and moment.price >= target:
        return ExitCause.TAKE_PROFIT
    longest = rules.hold_maximum
    is_late = longest is not None and moment.at - position.opened_at >= longest
    return ExitCause.TIME if is_late else None


def _take_partials(
    rules: ExitRules, position: ExitPositionState, price: Decimal
) -> tuple[ExitPositionState, Decimal]:
    """Return the position with the parts that are due counted, and the quantity to sell."""
    gain = (price - position.entry_price) / position.entry_price
    due = [p for p in rules.partials[position.partials_taken :] if gain >= p.gain_share]
    if not due:
        return position, ZERO
    instrument = position.instrument
    taken = replace(position, partials_taken=position.partials_taken + len(due))
    wanted = position.bought * sum((p.quantity_share for p in due), ZERO)
    quantity = min(position.held, instrument.floor_quantity(wanted))
    if not instrument.meets_minimum(position.held - quantity, position.stop_price):
        return replace(taken, closing=True), position.held
    # Too small to be sold by itself: it stays with the rest.
    return taken, quantity if instrument.meets_minimum(quantity, price) else ZERO


def _stop_move(
    rules: ExitRules, position: ExitPositionState, moment: ExitMoment
) -> MoveStop | None:
    """Return the highest stop that is due, if it lies above the one that rests.

    A trailing stop moves in steps of a fifth of its distance, for every amend costs rate budget.
    """
    instrument, highest = position.instrument, position.highest_price
    distances = [rules.trailing_distance] if rules.trailing_distance is not None else []
    if rules.trailing_share is not None:
        distances.append(highest * rules.trailing_share)
    if rules.trailing_multiple is not None and moment.average_true_range is not None:
        distances.append(moment.average_true_range * rules.trailing_multiple)
    candidates: list[MoveStop] = []
    if distances and (distance := min(distances)) > ZERO:
        trailed = instrument.floor_price(highest - distance)
        step = max(instrument.price_increment, distance / 5)
        if trailed - position.stop_price >= step:
            candidates.append(MoveStop(trailed, ExitCause.TRAILING))
    gain = (highest - position.entry_price) / position.entry_price
    if rules.break_even_gain is not None and gain >= rules.break_even_gain:
        even = instrument.floor_price(position.entry_price * (ONE + rules.break_even_offset))
        candidates.append(MoveStop(even, ExitCause.BREAK_EVEN))
    # A stop at or above the price would fire at once.
    usable = [c for c in candidates if position.stop_price < c.price < moment.price]
    return max(usable, key=lambda c: c.price, default=None)
