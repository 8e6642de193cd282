"""What the workflows of accounts and trades know, as last written down: they are restored by it."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class AccountStateRow(SQLModel, table=True):
    """An account's whole state but for what others tell it anew; ``at`` is protocol time."""

    __tablename__ = "account_states"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    state: dict[str, Any] = Field(sa_type=Document)
    at: datetime = Field(sa_type=Moment)


class TradeStateRow(SQLModel, table=True):
    """A trade's whole state, its plan included; ``at`` is protocol time."""

    __tablename__ = "trade_states"

    account_id: str = Field(primary_key=True, foreign_key="accounts.account_id")
    number: int = Field(primary_key=True)
    state: dict[str, Any] = Field(sa_type=Document)
    at: datetime = Field(sa_type=Moment)
