"""When the record is due a checkpoint, and how long one counts."""

from datetime import datetime, timedelta

from models.trading.governance.record.actions import URGENT_ACTIONS

EVERY = timedelta(minutes=1)
MOST_ROWS = 1000
"""Rows that may follow a checkpoint before the next one is made."""
LONGEST_AGE = timedelta(minutes=5)
"""Age at which the newest cosigned checkpoint no longer protects the record."""


def due_reason(
    size: int, actions: frozenset[str], last_size: int, last_at: datetime | None, now: datetime
) -> str:
    """Return why a checkpoint is due, "" when none is.

    Args:
        size: rows in the tree now.
        actions: the actions of the rows that were added since the last look.
        last_size: rows at the last checkpoint.
        last_at: when the last checkpoint was made (protocol time), None: never.
        now: protocol time.
    """
    if last_at is None:
        return "start"
    if urgent := sorted(URGENT_ACTIONS & actions):
        return urgent[0]
    if size - last_size >= MOST_ROWS:
        return "rows"
    if not timedelta(0) <= now - last_at < EVERY:
        return "minute"
    return ""


def protection_fault(cosigned_at: datetime | None, now: datetime) -> str:
    """Return why the record is not protected up to now, "" when it is."""
    if cosigned_at is None:
        return "no checkpoint of the record was cosigned yet"
    age = now - cosigned_at
    if age > LONGEST_AGE:
        return f"the record's last cosigned checkpoint is {age.total_seconds() / 60:.0f} min old"
    if age < -LONGEST_AGE:
        return "the record's last cosigned checkpoint lies in the future"
    return ""
