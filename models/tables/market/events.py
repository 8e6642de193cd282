"""The outbox of events for systems outside; filled by triggers alone while it is switched on."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Document, Moment


class EventSwitchRow(SQLModel, table=True):
    """Whether events are kept, and how many of each account at most.

    ``epoch`` is part of every event's id: a restore begins a new one, so that no id is given twice.
    """

    __tablename__ = "event_switch"

    single: bool = Field(primary_key=True)
    is_on: bool
    room: int
    epoch: int
    switched_at: datetime = Field(sa_type=Moment)


class EventHeadRow(SQLModel, table=True):
    """Numbers of an account's events: drawn, ever held, and lost for want of room."""

    __tablename__ = "event_heads"

    account_id: str = Field(primary_key=True)
    sequence: int = Field(sa_type=BigInteger)
    held: int = Field(sa_type=BigInteger)
    lost: int = Field(sa_type=BigInteger)


class EventCursorRow(SQLModel, table=True):
    """Up to which event the broker has acknowledged an account's, and how many of them."""

    __tablename__ = "event_cursors"

    account_id: str = Field(primary_key=True)
    sequence: int = Field(sa_type=BigInteger)
    removed: int = Field(sa_type=BigInteger)
    sent_at: datetime = Field(sa_type=Moment)


class EventRow(SQLModel, table=True):
    """An event that waits to be sent."""

    __tablename__ = "event_outbox"

    account_id: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    kind: str
    at: datetime = Field(sa_type=Moment)
    content: dict[str, Any] = Field(sa_type=Document)
