"""How orders are priced: collars around the price of the decision, and resting before crossing.

An order without a limit takes whatever the book holds. Every entry, and every sale that the
platform decides itself, is therefore sent as a limit order that takes at once or is cancelled
(Kraken ``timeinforce`` ``IOC``), limited to a collar around the price it was decided at. What is
left of an exit goes out again with a wider collar, and at last at market: an exit always ends.
Stops that rest on the exchange are not touched by any of this.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from models.trading.instruments import Instrument

ONE = Decimal(1)
ZERO = Decimal(0)
WIDENING = Decimal(2)
"""How many times wider each further try of an exit is."""
WIDEST = Decimal("0.5")
"""No collar goes further from the price than this share: what is beyond goes at market."""


class EntryStyle(StrEnum):
    """How an entry at market enters.

    ``take`` crosses the spread at once. ``rest_then_take`` rests post-only at the best bid first,
    and crosses when its time is over; ``rest_only`` gives up instead.
    """

    TAKE = "take"
    REST_THEN_TAKE = "rest_then_take"
    REST_ONLY = "rest_only"


@dataclass(frozen=True, slots=True)
class ExecutionPolicy:
    """How an account executes; shares are of the price that was decided at.

    Attributes:
        entry_collar: how far above the ask an entry may pay.
        exit_collar: how far below the price the first try of an exit may sell.
        exit_tries: tries within a collar, each twice as wide as the one before, until an exit goes
            at market; 0: at market at once.
        fat_finger: how far above the ask a limit that somebody gives may lie.
        entry_style: how entries enter where their strategy is not named below.
        rest_time: market time that an entry rests at one price.
        reprices: how often it follows the best bid before it crosses or gives up.
        resting_strategies: strategies whose entries rest first, whatever ``entry_style`` says.
        taking_strategies: strategies whose entries cross at once, whatever it says.
    """

    entry_collar: Decimal = Decimal("0.003")
    exit_collar: Decimal = Decimal("0.005")
    exit_tries: int = 3
    fat_finger: Decimal = Decimal("0.03")
    entry_style: EntryStyle = EntryStyle.TAKE
    rest_time: timedelta = timedelta(seconds=30)
    reprices: int = 2
    resting_strategies: tuple[str, ...] = ()
    taking_strategies: tuple[str, ...] = ()

    def style_of(self, strategy: str) -> EntryStyle:
        """Return how the entries of a strategy enter; empty: somebody asked for the trade."""
        if strategy and strategy in self.taking_strategies:
            return EntryStyle.TAKE
        if strategy and strategy in self.resting_strategies:
            resting = self.entry_style is not EntryStyle.TAKE
            return self.entry_style if resting else EntryStyle.REST_THEN_TAKE
        return self.entry_style


def entry_limit(instrument: Instrument, ask: Decimal, policy: ExecutionPolicy) -> Decimal:
    """Return the highest price that an entry may pay which was decided at an ask."""
    return max(instrument.floor_price(ask * (ONE + policy.entry_collar)), ask)


def sale_limit(
    instrument: Instrument, price: Decimal | None, share: Decimal | None
) -> Decimal | None:
    """Return the lowest price that a sale takes, None where it goes at market.

    Args:
        instrument: the pair.
        price: the price that the sale was decided at, None where nobody knows it.
        share: how far below it the sale may go, None: as far as the market does.
    """
    if price is None or share is None or not price.is_finite() or price <= ZERO:
        return None
    if share > WIDEST:
        return None
    return max(instrument.floor_price(price * (ONE - share)), instrument.price_increment)


def exit_share(policy: ExecutionPolicy, tries: int, *, at_target: bool) -> Decimal | None:
    """Return the collar of an exit's next try, None where it goes at market.

    Args:
        policy: how the account executes.
        tries: tries that were sent and ended with something left.
        at_target: the price is a target: it is asked for exactly first, so that a target that can
            be had is never sold below.
    """
    if policy.exit_tries <= 0:
        return None
    if at_target:
        if tries == 0:
            return ZERO
        tries -= 1
    return policy.exit_collar * WIDENING**tries if tries < policy.exit_tries else None
