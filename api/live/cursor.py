"""Where a reader of events is: for each account the last event's number, and a check of it.

The text of a cursor is the id of every event sent, so that a browser which comes back says exactly
what it has seen. The check is taken from the event's time: in a record that was restored from a
backup a number may stand for another event, and then nothing is resumed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

_ENTRY: Final = re.compile(r"^([a-z0-9][a-z0-9-]{0,62}):(\d{1,18})\.([0-9a-z]{1,6})$")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_SPACE: Final = 36**5


@dataclass(frozen=True, slots=True)
class Position:
    """The last event of one account that was seen: its number, and a check of its time."""

    sequence: int
    check: str


BEGINNING: Final = Position(0, "0")
Cursor = Mapping[str, Position]


def check_of(at: datetime) -> str:
    """Return five base-36 digits of an event's time in microseconds."""
    rest = int(at.timestamp()) * 1_000_000 % _SPACE + at.microsecond
    digits = ""
    for _ in range(5):
        rest, digit = divmod(rest, 36)
        digits = _DIGITS[digit] + digits
    return digits


def cursor_text(cursor: Cursor) -> str:
    """Write a cursor out."""
    return ",".join(f"{name}:{at.sequence}.{at.check}" for name, at in sorted(cursor.items()))


def read_cursor(text: str) -> dict[str, Position] | None:
    """Read a cursor; None for what is none."""
    found: dict[str, Position] = {}
    for entry in text.split(","):
        parts = _ENTRY.match(entry)
        if parts is None:
            return None
        found[parts[1]] = Position(int(parts[2]), parts[3])
    return found
