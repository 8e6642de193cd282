"""Changes that wait for a second person, as their author asked for them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WaitingChange:
    """A change of settings that a second person decides on.

    ``updates`` is a JSON object of plain values by name, ``based_on`` the version that was in force
    when it was asked for: a change of what has changed meanwhile is refused.
    """

    by: str
    updates: str
    reason: str
    based_on: int


@dataclass(frozen=True, slots=True)
class WaitingLift:
    """A lift of the total drawdown's halt that a second person decides on.

    ``halted_at`` is when the halt began: one that has begun since is another one.
    """

    by: str
    reason: str
    halted_at: datetime | None
