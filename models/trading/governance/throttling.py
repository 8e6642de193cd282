"""How failed attempts slow down further ones: by person and by address, and never for good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``failures`` within ``window``."""

    failures: int
    window: timedelta


PASSWORD_LIMITS: Final = (Limit(10, timedelta(minutes=5)),)
FACTOR_LIMITS: Final = (Limit(5, timedelta(minutes=5)), Limit(20, timedelta(hours=1)))

UNKNOWN_NAMES: Final = 1024
"""Counters that failures of names nobody has are spread over: a name tried is no row."""


def wait_before(
    failures: Sequence[datetime], now: datetime, limits: Iterable[Limit]
) -> timedelta | None:
    """Return how long until another attempt may be made, None when it may be made now.

    A refused attempt is no failure: whoever waits gets in, however often they have knocked.
    """
    waits = []
    for limit in limits:
        counted = sorted(at for at in failures if now - at < limit.window)
        if len(counted) >= limit.failures:
            waits.append(counted[-limit.failures] + limit.window - now)
    return max(waits, default=None)


def worth_keeping(
    failures: Iterable[datetime], now: datetime, limits: Iterable[Limit]
) -> list[datetime]:
    """Return the failures that still count for one of the limits, oldest first."""
    longest = max(limit.window for limit in limits)
    most = max(limit.failures for limit in limits)
    return sorted(at for at in failures if now - at < longest)[-most:]
