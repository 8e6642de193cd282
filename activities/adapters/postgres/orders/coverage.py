"""How long a position stands without enough resting stops, measured on protocol time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Coverage:
    """The stop coverage of a trade: finished gaps in seconds, and the start of a running one."""

    protected_quantity: Decimal
    unprotected_since: datetime | None
    unprotected_seconds: Decimal


def cover(
    previous: Coverage,
    *,
    exposed: Decimal,
    protected: Decimal,
    exposed_at: datetime | None,
    stop_at: datetime | None,
    at: datetime,
) -> Coverage:
    """Bring the coverage up to a trade's present figures.

    A trade is saved after the fact, so the edges of a gap come from what was recorded: it begins
    with the first entry fill since the last save (``exposed_at``, None where stops are attached to
    the entry: the exchange makes them with the fill) and ends with the latest stop's
    acknowledgement (``stop_at``), or with ``at`` where a stop grew in place.
    """
    since = previous.unprotected_since
    if since is None and exposed_at is not None:
        since = exposed_at
    if since is None and exposed > protected:
        since = at
    if exposed > protected:
        return Coverage(protected, since, previous.unprotected_seconds)
    seconds = previous.unprotected_seconds
    if since is not None:
        acknowledged = protected > 0 and stop_at is not None and since <= stop_at <= at
        until = stop_at if acknowledged and stop_at is not None else at
        seconds += Decimal(str(max(0.0, (until - since).total_seconds())))
    return Coverage(protected, None, seconds)
