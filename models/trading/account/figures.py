"""How old the figures are that an account decides by, and what it does when one is too old.

A figure that was never told, or is older than its limit, is unknown: the account takes no entries,
with the figures as the reason, until they are told again. Protection goes on, and so does whatever
makes a position smaller. Ages are counted in protocol time, by which every figure is refreshed; the
volatility of a pair is part of its market and is judged with each entry, in market time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class FigureTimes:
    """When figures were last made or told (protocol time); None: never.

    Attributes:
        fees: the account's fee rates were told by the exchange.
        universe: the universe was reviewed.
        groups: the correlation groups were computed.
        clock: the account's market time, by which its days end, moved on.
    """

    fees: datetime | None = None
    universe: datetime | None = None
    groups: datetime | None = None
    clock: datetime | None = None


@dataclass(frozen=True, slots=True)
class FigureLimits:
    """How old figures may be.

    Attributes:
        fees: told with every reconciliation.
        universe: reviewed once a day.
        groups: computed once a day.
        volatility: market time since the end of the newest bar that it rests on; two bars at least.
        clock: protocol time without any new market time, when an entry is judged.
        alert_after: how long a figure may be unknown before it is an alarm.
        second_feed_apart: how far a second source's price may lie from the market's own, a share.
    """

    fees: timedelta = timedelta(hours=6)
    universe: timedelta = timedelta(days=3)
    groups: timedelta = timedelta(days=3)
    volatility: timedelta = timedelta(hours=6)
    clock: timedelta = timedelta(minutes=15)
    alert_after: timedelta = timedelta(minutes=30)
    second_feed_apart: Decimal = Decimal("0.02")


def why_outdated(times: FigureTimes, limits: FigureLimits, at: datetime) -> str:
    """Return which figures are unknown at a protocol time and why, empty where none is."""
    judged = (
        ("the fee rates", times.fees, limits.fees),
        ("the review of the universe", times.universe, limits.universe),
        ("the correlation groups", times.groups, limits.groups),
    )
    reasons = (_why(name, told, limit, at) for name, told, limit in judged)
    return "; ".join(reason for reason in reasons if reason)


def why_clock_stands(times: FigureTimes, limits: FigureLimits, at: datetime) -> str:
    """Return why the account's market time is too old to judge by, empty where it is not."""
    if times.clock is None:
        return ""
    return _why("the market's clock", times.clock, limits.clock, at)


def volatility_age_maximum(limit: timedelta, bar_minutes: int) -> timedelta:
    """Return how old volatility may be: as set, and never less than two bars."""
    return max(limit, timedelta(minutes=2 * bar_minutes))


def newer(known: datetime | None, told: datetime | None) -> datetime | None:
    """Return the later of two times."""
    return max((time for time in (known, told) if time is not None), default=None)


def _why(name: str, told: datetime | None, limit: timedelta, at: datetime) -> str:
    if told is None:
        return f"{name} are not known yet" if name.endswith("s") else f"{name} is not known yet"
    age = at - told
    if age <= limit:
        return ""
    return f"{name}: {_hours(age)} old, {_hours(limit)} allowed"


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:.1f} h"
