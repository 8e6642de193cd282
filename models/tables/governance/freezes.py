"""Change freezes, and what was changed in spite of them."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.columns import Moment
from models.trading.governance.freeze_windows import Freeze


class FreezeRow(SQLModel, table=True):
    """A freeze that somebody began; it holds while ``ended_at`` is None. Protocol times."""

    __tablename__ = "change_freezes"

    number: int | None = Field(default=None, primary_key=True)
    reason: str
    begun_by: str
    begun_at: datetime = Field(sa_type=Moment)
    ended_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    end_reason: str | None = None

    def freeze(self) -> Freeze:
        """Return it in the domain's words."""
        return Freeze(self.reason, self.begun_at, None, self.number, self.begun_by)


class FreezeBreakRow(SQLModel, table=True):
    """Something that was done in spite of a freeze; reviewed by another person. Protocol times."""

    __tablename__ = "freeze_breaks"

    number: int | None = Field(default=None, primary_key=True)
    request_id: str
    operation: str
    path: str
    held_by: str
    reason: str
    broken_by: str
    broken_at: datetime = Field(sa_type=Moment)
    reviewed_by: str | None = None
    reviewed_at: datetime | None = Field(default=None, sa_type=Moment)
    review: str | None = None
