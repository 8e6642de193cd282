"""The book of one pair: the liquidity of others, own resting orders, and their queue.

Queue model. An order joins behind all liquidity of others visible at its price (``Order.ahead``)
and behind own orders already there. Prints at the price and orders that take from the level use
up the liquidity ahead first. When a step brings a new book, cancellations of others are taken to
happen behind: ``ahead`` only shrinks to what the level still shows. Liquidity of others that
appears later is behind. A price beyond the visible book has an unknown queue (``ahead`` None): a
print at exactly that price does not fill the order, a print through it does; once the price
becomes visible, the order stands behind all that is shown there.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from models.simulation.engine.orders import Order
from models.simulation.steps import Level
from models.trading.instruments import Instrument
from models.trading.orders import Side

ZERO = Decimal(0)


def opposite(side: Side) -> Side:
    """Return the other side."""
    return Side.SELL if side is Side.BUY else Side.BUY


def is_better(side: Side, price: Decimal, than: Decimal) -> bool:
    """Tell whether a resting price of ``side`` comes before another one."""
    return price > than if side is Side.BUY else price < than


def _rank(order: Order) -> tuple[Decimal, int]:
    price = order.limit_price
    assert price is not None
    return (-price if order.side is Side.BUY else price, order.priority)


def _ascending(level: Level) -> Decimal:
    return level.price


def _descending(level: Level) -> Decimal:
    return -level.price


@dataclass
class PairBook:
    """Everything that can be matched in one pair. Sides name who rests: ``BUY`` are bids."""

    instrument: Instrument
    others: dict[Side, tuple[Level, ...]] = field(
        default_factory=lambda: {Side.BUY: (), Side.SELL: ()}
    )
    consumed: dict[Side, dict[Decimal, Decimal]] = field(
        default_factory=lambda: {Side.BUY: {}, Side.SELL: {}}
    )
    resting: dict[Side, list[Order]] = field(default_factory=lambda: {Side.BUY: [], Side.SELL: []})
    stops: list[Order] = field(default_factory=list)
    last: Decimal | None = None
    last_trade_id: int = 0
    passed: tuple[Decimal, Decimal] | None = None
    """Lowest and highest price of the last step's path, None before the first."""

    def note_path(self, before: Decimal | None, prices: Sequence[Decimal]) -> None:
        """Remember between which prices a step has moved, where it begins included."""
        path = [*prices] if before is None else [before, *prices]
        if path:
            self.passed = (min(path), max(path))

    def has_passed(self, price: Decimal) -> bool:
        """Tell whether the last step went through a price."""
        return self.passed is not None and self.passed[0] <= price <= self.passed[1]

    def replace(self, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> None:
        """Take over the others' book of a new step; what was consumed is forgotten."""
        self.others[Side.BUY], self.others[Side.SELL] = bids, asks
        for side in Side:
            if self.consumed[side]:
                self.consumed[side] = {}
            for order in self.resting[side]:
                self._requeue(order)

    def join(self, order: Order) -> None:
        """Rest an order behind everything at its price."""
        assert order.limit_price is not None
        beyond = self._is_beyond(order.side, order.limit_price)
        order.ahead = None if beyond else self.others_at(order.side, order.limit_price)
        insort(self.resting[order.side], order, key=_rank)

    def leave(self, order: Order) -> bool:
        """Take an order out of the book or the stops; tell whether it was in the book."""
        if order in self.stops:
            self.stops.remove(order)
            return False
        rests = self.resting[order.side]
        if order.limit_price is None or not rests:
            return False
        place = bisect_left(rests, _rank(order), key=_rank)
        if place < len(rests) and rests[place] is order:
            del rests[place]
            return True
        return False

    def others_at(self, side: Side, price: Decimal) -> Decimal:
        """Return the others' quantity left at a price."""
        levels = self.others[side]
        if side is Side.BUY:
            place = bisect_left(levels, -price, key=_descending)
        else:
            place = bisect_left(levels, price, key=_ascending)
        if place == len(levels) or levels[place].price != price:
            return ZERO
        return max(ZERO, levels[place].quantity - self.consumed[side].get(price, ZERO))

    def best_of_others(self, side: Side) -> Level | None:
        """Return the others' best level with what is left of it."""
        consumed = self.consumed[side]
        for level in self.others[side]:
            left = level.quantity - consumed.get(level.price, ZERO) if consumed else level.quantity
            if left > ZERO:
                return Level(level.price, left)
        return None

    def best_price(self, side: Side) -> Decimal | None:
        """Return the best price at which anybody rests."""
        others = self.best_of_others(side)
        if not self.resting[side]:
            return others.price if others else None
        own = self.resting[side][0].limit_price
        assert own is not None
        if others is None or is_better(side, own, others.price):
            return own
        return others.price

    def front(self, side: Side, price: Decimal) -> tuple[Order | None, Decimal]:
        """Return who is first at a price and for how much: an own order, or others (None)."""
        first = next((o for o in self.resting[side] if o.limit_price == price), None)
        others = self.others_at(side, price)
        if first is None:
            return None, others
        ahead = min(first.ahead or ZERO, others)
        return (None, ahead) if ahead > ZERO else (first, first.remaining)

    def take_others(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Use up liquidity of others at a price; own orders behind it move up."""
        consumed = self.consumed[side]
        consumed[price] = consumed.get(price, ZERO) + quantity
        self.move_up(side, price, quantity)

    def move_up(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Let the own orders at a price advance by a quantity that was ahead of them."""
        for order in self.resting[side]:
            if order.limit_price == price and order.ahead:
                order.ahead = max(ZERO, order.ahead - quantity)

    def _is_beyond(self, side: Side, price: Decimal) -> bool:
        levels = self.others[side]
        return bool(levels) and is_better(side, levels[-1].price, price)

    def _requeue(self, order: Order) -> None:
        assert order.limit_price is not None
        if self._is_beyond(order.side, order.limit_price):
            return
        shown = self.others_at(order.side, order.limit_price)
        order.ahead = shown if order.ahead is None else min(order.ahead, shown)
