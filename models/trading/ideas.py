"""What a strategy proposes; the account decides what becomes of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum


class StrategyStanding(StrEnum):
    """What is known of a strategy, which decides who may follow it.

    ``shipped`` ones are on by default; ``shadow`` ones are watched and traded by nobody who does
    not ask for it; a ``demonstration`` shows the platform at work in simulation, is not meant to
    earn, and is refused by live accounts.
    """

    SHIPPED = "shipped"
    SHADOW = "shadow"
    DEMONSTRATION = "demonstration"


@dataclass(frozen=True, slots=True)
class Idea:
    """A proposal, with its exits. ``idea_id`` is derived from strategy, version, pair, bar.

    Without ``target_weight`` it is a proposal to buy, as much as the account's rules allow. With it
    the strategy says what shall be held of the pair, as a share of what the account lets it hold
    there: the account buys or sells the difference, and zero closes what is open.

    ``expires_at`` is market time; ``trailing_distance`` is in quote units, None for a fixed stop.
    ``limit_price`` makes the entry a limit order that is withdrawn when the idea expires, None: it
    enters at market. What may be expected of it follows from the evidence of its strategy version,
    not from itself.

    ``equity_share`` is the most that it may be worth, as a share of the account's equity, None: the
    account's rules alone size it. ``hold_maximum`` ends the trade by time. ``model`` is the version
    of the learned model that has judged it, ``feature_hash`` what that has seen; both are empty for
    a strategy written by hand.
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
    target_weight: Decimal | None = None
    limit_price: Decimal | None = None
    standing: StrategyStanding = StrategyStanding.SHIPPED
    equity_share: Decimal | None = None
    hold_maximum: timedelta | None = None
    model: str = ""
    feature_hash: str = ""
