"""What a strategy proposes; the account decides what becomes of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Idea:
    """A proposal to buy, with its exits. ``idea_id`` is derived from strategy, version, pair, bar.

    ``expires_at`` is market time; ``trailing_distance`` is in quote units, None for a fixed stop.
    What may be expected of it follows from the evidence of its strategy version, not from itself.
    """

    idea_id: str
    strategy: str
    strategy_version: str
    symbol: str
    bar_start: datetime
    expires_at: datetime
    stop_price: Decimal
    take_profit_price: Decimal | None
    trailing_distance: Decimal | None
    reasons: tuple[str, ...] = ()
