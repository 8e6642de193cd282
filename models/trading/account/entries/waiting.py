"""An entry that waits for a person: everything needed to judge it once more, but the market."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.trading.exits.distances import Exits
from models.trading.exits.requests import ExitsChange
from models.trading.orders import OrderType
from models.trading.risk.limits import ProtectionMode
from models.trading.strategies.evidence import Evidence


@dataclass(frozen=True, slots=True)
class WaitingEntry:
    """A wish to enter, as it was when it was found to be too large to go without a person.

    ``quantity`` is what the person sees and approves; ``expires_at`` is an idea's, in market time.
    """

    source: str
    by: str
    symbol: str
    order_type: OrderType
    limit_price: Decimal | None
    quantity: Decimal
    exits: Exits
    protection: ProtectionMode
    expires_at: datetime | None
    change: ExitsChange | None = None
    evidence: Evidence | None = None
    strategy_version: str = ""
