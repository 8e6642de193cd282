"""The levels of drawdown that an account is set to (R-4)."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class PositionsOnHalt(StrEnum):
    """What becomes of open positions when a hard level is reached; the account's setting."""

    CLOSE = "close"
    KEEP_PROTECTED = "keep_protected"


@dataclass(frozen=True, slots=True)
class DrawdownLimits:
    """Levels as shares lost (0.05 is five percent), with safe defaults.

    Attributes:
        soft_share: loss of the day from which entries become smaller.
        hard_share: loss of the day at which entries stop until the day is closed.
        total_share: loss from the high-water mark at which entries stop until people lift it.
        smallest_factor: size factor just before the hard level.
        day_overdue_after: how long a day that has ended may wait for its closing (protocol time)
            before entries stop until it is closed.
        positions: what becomes of open positions at a hard level.
    """

    soft_share: Decimal = Decimal("0.02")
    hard_share: Decimal = Decimal("0.05")
    total_share: Decimal = Decimal("0.20")
    smallest_factor: Decimal = Decimal("0.25")
    positions: PositionsOnHalt = PositionsOnHalt.KEEP_PROTECTED
    day_overdue_after: timedelta = timedelta(minutes=2)
