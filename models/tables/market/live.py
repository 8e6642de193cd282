"""Events of the record for live screens; written by triggers alone."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.columns import Moment


class RecordEventHeadRow(SQLModel, table=True):
    """The newest event's number of each account, or of the platform."""

    __tablename__ = "record_event_heads"

    account_id: str = Field(primary_key=True)
    sequence: int


class RecordEventRow(SQLModel, table=True):
    """One change: which thing (``subject``) of which kind (``topic``), numbered in commit order."""

    __tablename__ = "record_events"

    account_id: str = Field(primary_key=True)
    sequence: int = Field(primary_key=True)
    topic: str
    subject: str
    at: datetime = Field(sa_type=Moment)
