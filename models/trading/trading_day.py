"""An account's own day: where it begins in its time zone, also on the days clocks change.

Decided: a local time that does not exist (clocks go forward) is the first instant after the gap; a
local time that exists twice (clocks go back) is its first occurrence. A day is therefore 23, 24 or
25 hours long, and a date that a zone skips altogether is no day: it begins, and so ends, with the
next one. Wall-clock rules come from the IANA database of the machine.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True, slots=True)
class DayRule:
    """Where an account's day begins: an IANA zone and the local time of the boundary.

    ``zone_name`` has been checked with ``zone_named``.
    """

    zone_name: str = "UTC"
    starts_at: time = time(0)

    @property
    def zone(self) -> tzinfo:
        """Return the zone.

        Raises:
            ZoneInfoNotFoundError: the machine knows no such zone.
        """
        return ZoneInfo(self.zone_name)


@dataclass(frozen=True, slots=True)
class DayBoundary:
    """An instant (UTC) at which one day is closed and the next is opened."""

    at: datetime
    closes: date
    opens: date


def zone_named(name: str) -> tzinfo | None:
    """Return the zone with this IANA name, None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def day_start(rule: DayRule, day: date) -> datetime:
    """Return the instant (UTC) at which a day begins."""
    wanted = datetime.combine(day, rule.starts_at.replace(tzinfo=None))
    first = wanted.replace(tzinfo=rule.zone, fold=0).astimezone(UTC)
    if first.astimezone(rule.zone).replace(tzinfo=None) == wanted:
        return first
    # Inside a gap the two readings (PEP 495) lie on either side of the change.
    before = wanted.replace(tzinfo=rule.zone, fold=1).astimezone(UTC)
    change = _first_after_change(rule.zone, before, first)
    next_day = day + timedelta(days=1)
    if _skips(rule.zone, change, day, next_day):
        return day_start(rule, next_day)
    return change


def day_of(rule: DayRule, instant: datetime) -> date:
    """Return the day that an instant belongs to."""
    local = instant.astimezone(rule.zone).date()
    # A boundary late in the evening belongs to the next day's morning, and a skipped date shifts
    # by one more, so the latest day that has begun is looked for around the local date.
    days = (local + timedelta(days=offset) for offset in (1, 0, -1, -2))
    return next(day for day in days if day_start(rule, day) <= instant)


def next_boundary(rule: DayRule, instant: datetime) -> DayBoundary:
    """Return the first boundary after an instant."""
    day = day_of(rule, instant)
    following = day + timedelta(days=1)
    while day_start(rule, following) <= instant:
        following += timedelta(days=1)
    at = day_start(rule, following)
    return DayBoundary(at, day, day_of(rule, at))


def boundaries_between(
    rule: DayRule, last_closed: datetime, now: datetime
) -> tuple[DayBoundary, ...]:
    """Return every boundary after the last one closed, up to and including now, oldest first.

    What was missed while nothing ran is thereby closed once each, and what was closed is not
    closed again.
    """
    found: list[DayBoundary] = []
    boundary = next_boundary(rule, last_closed)
    while boundary.at <= now:
        found.append(boundary)
        boundary = next_boundary(rule, boundary.at)
    return tuple(found)


def _skips(zone: tzinfo, change: datetime, day: date, next_day: date) -> bool:
    """Tell whether the clocks went, at a change, from before a date to after it."""
    second = timedelta(seconds=1)
    left = (change - second).astimezone(zone).replace(tzinfo=None) + second
    reached = change.astimezone(zone).replace(tzinfo=None)
    begins, ends = datetime.combine(day, time(0)), datetime.combine(next_day, time(0))
    return left <= begins and ends <= reached


def _first_after_change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    old = before.astimezone(zone).utcoffset()
    low, high = before, after
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds() // 2))
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high
