"""Exchange keys: whose, since when, what they may do; never the keys themselves."""

from datetime import datetime

from sqlalchemy import ARRAY, Text
from sqlmodel import Field, SQLModel

from models.tables.columns import Moment


class ExchangeKeyRow(SQLModel, table=True):
    """One key of an account for a mode. ``fingerprint`` is the SHA-256 of its public half.

    ``ending`` are its last four characters, by which people know it. ``validation`` is ``ok`` or
    the code of what was found wrong; ``trading_since`` is when the trading process took it up.
    ``approval_id`` names that of another person, where the account traded live.
    """

    __tablename__ = "exchange_keys"

    account_id: str = Field(primary_key=True)
    mode: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    fingerprint: str
    ending: str
    state: str
    stored_at: datetime = Field(sa_type=Moment)
    stored_by: str
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    permissions: list[str] = Field(sa_type=ARRAY(Text))
    validated_at: datetime = Field(sa_type=Moment)
    validation: str
    trading_since: datetime | None = Field(default=None, sa_type=Moment)
    reminded_at: datetime | None = Field(default=None, sa_type=Moment)
    approval_id: str | None = None
