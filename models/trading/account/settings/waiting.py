"""A change of settings that waits for a second person, as its author asked for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WaitingChange:
    """What a second person decides on.

    ``updates`` is a JSON object of plain values by name, ``based_on`` the version that was in force
    when it was asked for: a change of what has changed meanwhile is refused.
    """

    by: str
    updates: str
    reason: str
    based_on: int
