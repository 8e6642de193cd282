"""What reconciliation found, and up to when executions are known to be complete."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class ReconciliationRow(SQLModel, table=True):
    """What was found different from the exchange, and what was done about it.

    ``complete`` is a whole comparison; else the private stream met an order that nobody owns.
    ``differences`` maps a kind to the names of what differed twice, ``repaired`` to what was missed
    and has been told since. ``unknown_orders`` describes orders that are not ours by exchange id.
    """

    __tablename__ = "reconciliations"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    number: int | None = Field(
        default=None,
        primary_key=True,
        sa_type=BigInteger,
        sa_column_kwargs={"autoincrement": True},
    )
    at: datetime = Field(sa_type=Moment)
    clean: bool
    differences: dict[str, Any] = Field(sa_type=Document)
    complete: bool = True
    repaired: dict[str, Any] = Field(default_factory=dict, sa_type=Document)
    unknown_orders: dict[str, Any] = Field(default_factory=dict, sa_type=Document)


class CheckpointRow(SQLModel, table=True):
    """The market time up to which an account's executions are complete."""

    __tablename__ = "checkpoints"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    complete_until: datetime = Field(sa_type=Moment)
