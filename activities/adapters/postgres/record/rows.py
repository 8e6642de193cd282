"""Reading audit rows with the exact text of each hashed field."""

from typing import Any

from models.trading.governance.record.rows import RecordedRow

ROW_FIELDS = """a.account_id, a.sequence, a.actor, a.action, a.correlation, a.previous_hash, a.hash,
    a.details::text AS details, a.context::text AS context,
    to_char(a.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS recorded"""


def recorded_row(row: Any) -> RecordedRow:
    """Return a row that was selected with ``ROW_FIELDS``."""
    return RecordedRow(
        account=row.account_id,
        sequence=row.sequence,
        recorded_at=row.recorded,
        actor=row.actor,
        action=row.action,
        correlation=row.correlation,
        details=row.details,
        context=row.context,
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
