"""What the record could not hold."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.columns import Moment


class QuarantinedWriteRow(SQLModel, table=True):
    """One write that can never succeed: the step, why, and its content as JSON in ASCII.

    It stands until somebody says that it has been dealt with.
    """

    __tablename__ = "quarantined_writes"

    account_id: str = Field(primary_key=True)
    write_id: str = Field(primary_key=True)
    step: str
    reason: str
    content: str
    at: datetime = Field(sa_type=Moment)
    settled_by: str | None = None
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
