"""Weekly windows in which changes are frozen, as the platform's settings name them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY, _TIME = "|".join(DAYS), "([01][0-9]|2[0-3]):([0-5][0-9])"
_WEEKLY = re.compile(rf"({_DAY}) {_TIME}-({_DAY}) {_TIME}")
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Freeze:
    """One freeze that holds; ``number`` is that of one begun by hand, None for a window."""

    reason: str
    since: datetime | None
    until: datetime | None
    number: int | None = None
    by: str = ""


def window_problem(text: str) -> str | None:
    """Return why a text is no window, None if it is one: ``fri 20:00-mon 06:00``, in UTC."""
    if _bounds(text) is not None:
        return None
    return f"{text!r} is no window: 'fri 20:00-mon 06:00', days and times in UTC, not empty"


def window_at(text: str, now: datetime) -> Freeze | None:
    """Return the freeze of a weekly window at a time, None while it does not hold.

    A text that is no window holds always: what nobody can read loosens nothing.
    """
    bounds = _bounds(text)
    if bounds is None:
        return Freeze(f"the window {text!r} cannot be read", None, None)
    begins, ends = bounds
    at = now.astimezone(UTC)
    monday = (at - timedelta(days=at.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    for week in (monday - _WEEK, monday):
        since = week + begins
        until = since + (ends - begins) % _WEEK
        if since <= at < until:
            return Freeze(f"window {text}", since, until)
    return None


def _bounds(text: str) -> tuple[timedelta, timedelta] | None:
    found = _WEEKLY.fullmatch(text)
    if found is None:
        return None
    day, hour, minute, last_day, last_hour, last_minute = found.groups()
    begins = timedelta(days=DAYS.index(day), hours=int(hour), minutes=int(minute))
    ends = timedelta(days=DAYS.index(last_day), hours=int(last_hour), minutes=int(last_minute))
    return None if begins == ends else (begins, ends)
