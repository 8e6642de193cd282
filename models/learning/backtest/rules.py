"""What every fill of a backtest obeys, whichever engine makes it.

* A decision is made at the close of a bar and acts from the next bar on, after ``latency_seconds``.
* A market order fills at the next bar's open, moved against it: by the share of the way to the
  bar's extreme that the latency takes of the bar, and by the slippage.
* A limit order fills as the maker, at its price, only when the bar trades one tick through it,
  and by at most ``volume_share`` of the bar's volume. One that the open has passed is a taker.
* A stop fills at the lower of the open and the stop, less slippage. A take-profit is a watch that
  sells at market: at its price or a better open, less slippage.
* A bar in which both are reached is ambiguous: the stop counts, unless finer bars tell the order.
* An entry whose bar is absent lapses. An exit waits for the next bar that is there.
* Entries are limited to ``volume_share`` of the bar's volume; one that is then too small for a stop
  of its own is not made. What protects is sold whole.
* Fees follow the strategy's own volume of the last 30 days.
"""

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from models.learning.backtest.bars import Floats
from models.trading.risk.limits import FeeRates
from models.trading.universe.fees import SCHEDULES, FeeSchedule, FeeTier

TODAYS_SCHEDULE = SCHEDULES[-1]


@dataclass(frozen=True, slots=True)
class FillRules:
    """Figures of the fill rules; shares are of the price, or of a bar's volume.

    Attributes:
        slippage_share: what a market order or a fired stop loses to the price.
        latency_seconds: time between a decision and the exchange.
        volume_share: largest part of a bar's volume that an entry takes.
        target_first: whether an ambiguous bar counts as the take-profit: the optimistic bound.
        fees: the schedule by which every fill pays.
    """

    slippage_share: float = 0.0005
    latency_seconds: float = 1.0
    volume_share: float = 0.01
    target_first: bool = False
    fees: FeeSchedule = field(default=TODAYS_SCHEDULE)

    def latency_share(self, interval_minutes: int) -> float:
        """Return the part of a bar that the latency takes, at most all of it."""
        return min(1.0, self.latency_seconds / (interval_minutes * 60))


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What trades and within which bounds.

    Attributes:
        capital: USD at the start.
        band: a target weight moves what is held only when it is further away than this.
        reserve_share: equity never spent, so that fees and rounding cannot overdraw.
        price_margin: how far above the price an entry at market reserves its cash.
    """

    capital: float = 100_000.0
    band: float = 0.10
    reserve_share: float = 0.02
    price_margin: float = 0.01


@dataclass(frozen=True, slots=True)
class FeeTiers:
    """A fee schedule as arrays, lowest volume first: USD, and shares of cost."""

    volume: Floats
    maker: Floats
    taker: Floats


def fee_tiers(schedule: FeeSchedule) -> FeeTiers:
    """Return a schedule as arrays."""
    tiers = schedule.tiers
    return FeeTiers(
        np.array([float(tier.volume) for tier in tiers]),
        np.array([float(tier.rates.maker) for tier in tiers]),
        np.array([float(tier.rates.taker) for tier in tiers]),
    )


def flat_fees(maker: str, taker: str) -> FeeSchedule:
    """Return a schedule with one tier; rates are shares of cost, as text."""
    tier = FeeTier(Decimal(0), FeeRates(Decimal(maker), Decimal(taker)))
    return FeeSchedule(TODAYS_SCHEDULE.effective_from, (tier,))
