"""What a replay of the rules counts."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.account.facts import EnterTrade
from models.trading.trade.state import TradeState

CASH = Decimal(100_000)


@dataclass
class Seen:
    """What the replay counts."""

    entries: list[EnterTrade] = field(default_factory=list)
    settled: list[TradeState] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    halts: Counter[str] = field(default_factory=Counter)
    first_halts: dict[str, datetime] = field(default_factory=dict)
    ideas: int = 0
    hedge_targets: int = 0
    unmeasured: timedelta = timedelta(0)
    longest_unmeasured: timedelta = timedelta(0)
    lowest_equity: Decimal = CASH
    highest_equity: Decimal = CASH
