"""Price levels that the market worker watches for trades."""

from datetime import datetime
from decimal import Decimal

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Moment
from models.trading.trade.facts import Direction, PriceWatch, WatchKind


class PriceWatchRow(SQLModel, table=True):
    """One watched level; ``triggered_at`` (market time) is set once, by the first crossing.

    ``due_at`` is the market time that a watch of the kind ``time`` waits for.
    """

    __tablename__ = "price_watches"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    watch_id: str = Field(primary_key=True)
    trade: int
    symbol: str
    kind: str
    direction: str
    level: Decimal = Field(sa_type=Amount)
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)
    triggered_at: datetime | None = Field(default=None, sa_type=Moment)
    triggered_price: Decimal | None = Field(default=None, sa_type=Amount)

    def watch(self) -> PriceWatch:
        """Return the watch in the domain's words."""
        return PriceWatch(
            watch_id=self.watch_id,
            account=self.account_id,
            trade=self.trade,
            symbol=self.symbol,
            kind=WatchKind(self.kind),
            direction=Direction(self.direction),
            level=self.level,
            due_at=self.due_at,
        )
