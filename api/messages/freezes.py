"""The change freeze: bodies taken and views given."""

from datetime import datetime

from pydantic import Field

from api.messages.bodies import Reason, RequestBody
from api.messages.schemas import Row


class ChangeFreezeReason(RequestBody):
    """Why a freeze begins or ends, or what a review has found."""

    reason: Reason


class FreezeNow(Row):
    """A freeze that holds; ``number`` is that of one begun by hand, none for a window."""

    number: int | None
    reason: str
    by: str
    since: datetime | None
    until: datetime | None


class FreezeBreak(Row):
    """Something that was done in spite of a freeze."""

    number: int
    operation: str
    path: str
    held_by: str
    reason: str
    broken_by: str
    broken_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None
    review: str | None


class FreezeState(Row):
    """What holds now, the windows of the settings, and what was done in spite of it."""

    frozen: bool
    standing: list[FreezeNow]
    windows: list[str] = Field(description="Weekly windows in UTC, from the platform's settings")
    breaks: list[FreezeBreak] = Field(description="Newest first; listed until reviewed, and after")
