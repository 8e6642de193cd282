"""Movements of assets, from which lots and gains are made."""

import datetime as dt
from decimal import Decimal

from sqlmodel import Field, SQLModel

from models.reporting.lots import Movement, MovementKind
from models.tables.columns import Amount, Moment


class AssetMovementRow(SQLModel, table=True):
    """One acquisition or disposal; written with the execution or flow that it is, never changed.

    ``usd`` is None where the value was not known. ``mode`` is that of the account then: simulated
    and live money are never in one book. ``at`` is market time.
    """

    __tablename__ = "asset_movements"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    movement_id: str = Field(primary_key=True)
    mode: str
    at: dt.datetime = Field(sa_type=Moment)
    asset: str
    quantity: Decimal = Field(sa_type=Amount)
    usd: Decimal | None = Field(default=None, sa_type=Amount)
    kind: str

    def movement(self) -> Movement:
        """Return the movement in the domain's words."""
        return Movement(
            self.movement_id, self.at, self.asset, self.quantity, self.usd, MovementKind(self.kind)
        )
