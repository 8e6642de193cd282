"""Reading notifications, deliveries and channels."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from infra.runtime.database.connections import Database

_COUNTS = """LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE d.state = 'sent') AS sent,
        count(*) FILTER (WHERE d.state = 'waiting') AS waiting,
        count(*) FILTER (WHERE d.state = 'failed') AS failed
    FROM notification_deliveries d WHERE d.notification_id = n.notification_id) c ON true"""
_VISIBLE = """n.scope = ANY (CAST(:scopes AS text[]))
    AND (n.recipients = '{}' OR CAST(:user AS text) = ANY (n.recipients))"""
_LIST = text(
    f"""SELECT n.*, c.sent, c.waiting, c.failed FROM notifications n {_COUNTS}
        WHERE {_VISIBLE}
        AND (NOT CAST(:only_open AS boolean) OR n.severity <> 'information'
            AND n.acknowledged_at IS NULL AND n.resolved_at IS NULL)
        AND (CAST(:before AS timestamptz) IS NULL
            OR (n.since, n.notification_id) < (CAST(:before AS timestamptz), :before_id))
        ORDER BY n.since DESC, n.notification_id DESC LIMIT :limit"""  # noqa: S608
)
_ONE = text(
    f"""SELECT n.*, c.sent, c.waiting, c.failed FROM notifications n {_COUNTS}
        WHERE {_VISIBLE} AND n.notification_id = :notification"""  # noqa: S608
)
_DELIVERIES = text(
    """SELECT d.*, c.kind, c.user_id FROM notification_deliveries d
       JOIN notification_channels c USING (channel_id)
       WHERE d.notification_id = :notification ORDER BY d.first_at, d.delivery_id"""
)
_KINDS = text(
    """SELECT c.kind, count(DISTINCT c.channel_id) FILTER (WHERE c.removed_at IS NULL) AS channels,
           count(d.delivery_id) FILTER (WHERE d.state = 'sent') AS sent,
           count(d.delivery_id) FILTER (WHERE d.state = 'failed'
               OR d.state = 'waiting' AND d.reason <> '') AS failed,
           coalesce((array_agg(d.reason ORDER BY d.last_at DESC)
               FILTER (WHERE d.reason <> ''))[1], '') AS last_failure
       FROM notification_channels c LEFT JOIN notification_deliveries d
           ON d.channel_id = c.channel_id AND d.last_at > :since
       GROUP BY c.kind"""
)
_STANDING = text(
    """SELECT notification_backlog() AS backlog,
           (SELECT count(*) FROM notifications WHERE closed_at IS NULL) AS open,
           (SELECT count(*) FROM notifications WHERE acknowledged_at IS NULL
               AND resolved_at IS NULL AND severity <> 'information') AS unacknowledged,
           (SELECT min(first_at) FROM notification_deliveries WHERE state = 'waiting'
               AND reason <> '') AS oldest_waiting"""
)
_UNACKNOWLEDGED = text(
    """SELECT severity, count(*) AS count FROM notifications WHERE acknowledged_at IS NULL
       AND resolved_at IS NULL AND severity <> 'information' GROUP BY severity"""
)
_OWN = text(
    """SELECT * FROM notification_channels WHERE user_id = :user AND removed_at IS NULL
       ORDER BY created_at, channel_id"""
)
_QUIET = text("SELECT * FROM notification_quiet_hours WHERE user_id = :user")


class CursorError(ValueError):
    """A cursor is none that a page has given."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose eyes see: the accounts they may read, with ``platform``, and their id."""

    scopes: tuple[str, ...]
    user: str

    def values(self) -> dict[str, Any]:
        """Return what a query is given."""
        return {"scopes": list(self.scopes), "user": self.user}


async def notifications(
    database: Database, reader: Reader, cursor: str, limit: int, *, only_open: bool
) -> tuple[Sequence[Any], str]:
    """Return a page, newest first, and the cursor of the next one ("" after the last).

    Raises:
        CursorError: the cursor is none that a page has given.
    """
    before, before_id = _read(cursor) if cursor else (None, "")
    values = reader.values() | {
        "only_open": only_open,
        "before": before,
        "before_id": before_id,
        "limit": limit,
    }
    rows = await database.call(_LIST, values)
    more = len(rows) == limit
    return rows, _cursor(rows[-1]) if more else ""


async def notification(database: Database, reader: Reader, notification_id: str) -> Any | None:
    """Return one notification, None when there is none for these eyes."""
    values = reader.values() | {"notification": notification_id}
    rows = await database.call(_ONE, values)
    return rows[0] if rows else None


async def deliveries(database: Database, notification_id: str) -> Sequence[Any]:
    """Return the messages of a notification, oldest first."""
    return await database.call(_DELIVERIES, {"notification": notification_id})


async def kinds(database: Database, since: datetime) -> Sequence[Any]:
    """Return the channels by kind, and how their messages have fared since."""
    return await database.call(_KINDS, {"since": since})


async def standing(database: Database) -> Any:
    """Return what is open and what waits."""
    return (await database.call(_STANDING))[0]


async def unacknowledged(database: Database) -> dict[str, int]:
    """Return how many wait for an acknowledgement, by severity."""
    return {row.severity: row.count for row in await database.call(_UNACKNOWLEDGED)}


async def own_channels(database: Database, user: str) -> Sequence[Any]:
    """Return a person's channels, oldest first."""
    return await database.call(_OWN, {"user": user})


async def quiet_hours(database: Database, user: str) -> Any | None:
    """Return a person's quiet hours, None where none were ever set."""
    rows = await database.call(_QUIET, {"user": user})
    return rows[0] if rows else None


def _cursor(row: Any) -> str:
    raw = f"{row.since.isoformat()} {row.notification_id}".encode()
    return base64.urlsafe_b64encode(raw).decode()


def _read(cursor: str) -> tuple[datetime, str]:
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
        at, _, identity = raw.partition(" ")
        moment = datetime.fromisoformat(at)
    except (binascii.Error, ValueError):
        raise CursorError("no cursor of a page") from None
    if moment.tzinfo is None or not identity or "\x00" in identity:
        raise CursorError("no cursor of a page")
    return moment, identity
