"""How long a session counts, and for how long it is confirmed for one action."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

IDLE: Final = timedelta(minutes=30)
ABSOLUTE: Final = timedelta(hours=12)
STEP_UP: Final = timedelta(minutes=5)
PENDING: Final = timedelta(minutes=10)
"""How long a password may wait for the second factor that goes with it."""
SETUP_LINK: Final = timedelta(minutes=15)
RECOVERY_DELAY: Final = timedelta(hours=24)
"""How long a recovery on the machine waits while an account trades live."""
LONGEST_TOKEN: Final = timedelta(days=90)


class Standing(StrEnum):
    """What a session is worth."""

    PENDING = "pending"
    """The password was right; nothing but showing or adding a second factor is allowed."""
    FULL = "full"


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """When a session began, was last used, and was ended if it was."""

    standing: Standing
    opened_at: datetime
    used_at: datetime
    revoked_at: datetime | None


def ended(session: SessionTimes, now: datetime) -> str | None:
    """Return why a session counts no more: ``revoked``, ``expired`` or ``idle``; None if it does.

    A clock that went back ends nothing early and lengthens nothing beyond what it went back by.
    """
    if session.revoked_at is not None:
        return "revoked"
    absolute = ABSOLUTE if session.standing is Standing.FULL else PENDING
    if now - session.opened_at >= absolute:
        return "expired"
    return "idle" if now - session.used_at >= IDLE else None
