"""Notifications as they are recorded: occurrences counted once, messages and how they fared."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import orjson
from sqlalchemy import text

from activities.adapters.postgres import audit
from infra.runtime.database.connections import PLATFORM_SCOPE, Database, SqlSession
from models.contracts.people.notifications import Closing, Delivery, Standing
from models.trading.governance.notifications.events import RecordedAction
from models.trading.governance.notifications.notice import Notice, Severity
from models.trading.governance.notifications.routing import (
    Channel,
    ChannelKind,
    QuietHours,
    Recipient,
)
from models.trading.governance.rights import Grant, Role

UNDELIVERED = "notification_undelivered"

# Two occurrences of one incident at once: the second waits for the first.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('aether.notification.' || :key, 0))")
_KNOWN = text(
    """SELECT n.notification_id, n.closed_at IS NULL AS open, n.acknowledged_at IS NULL
           AND n.resolved_at IS NULL AND n.closed_at IS NULL AS needed
       FROM notification_occurrences o JOIN notifications n USING (notification_id)
       WHERE o.occurrence_id = :occurrence"""
)
_OPEN = text(
    """SELECT notification_id, severity, acknowledged_at FROM notifications
       WHERE key = :key AND closed_at IS NULL"""
)
_MAKE = text(
    """INSERT INTO notifications (notification_id, key, event, severity, scope, title, detail,
           runbook, recipients, since, last_at, occurrences)
       VALUES (:occurrence, :key, :event, :severity, :scope, :title, :detail, :runbook,
           CAST(:recipients AS text[]), :at, :at, 1)"""
)
_REPEAT = text(
    """UPDATE notifications SET occurrences = occurrences + 1, last_at = greatest(last_at, :at),
           severity = :severity, title = :title, detail = :detail, resolved_at = NULL
       WHERE notification_id = :notification"""
)
_RESOLVE = text(
    """UPDATE notifications SET resolved_at = :at
       WHERE notification_id = :notification AND resolved_at IS NULL"""
)
_COUNT = text(
    """INSERT INTO notification_occurrences (occurrence_id, notification_id, at)
       VALUES (:occurrence, :notification, :at)"""
)
_NEEDED = text(
    """SELECT acknowledged_at IS NULL AND resolved_at IS NULL AND closed_at IS NULL AS needed
       FROM notifications WHERE notification_id = :notification"""
)
_PEOPLE = text("SELECT user_id, grants FROM notification_people()")
_CHANNELS = text(
    """SELECT channel_id, user_id, kind, address, minimum, events FROM notification_channels
       WHERE removed_at IS NULL ORDER BY created_at, channel_id"""
)
_CHANNEL = text(
    """SELECT c.channel_id, c.kind, c.address, c.minimum, c.events FROM notification_channels c
       JOIN notification_people() p USING (user_id)
       WHERE c.channel_id = :channel AND c.removed_at IS NULL"""
)
_QUIET = text("SELECT user_id, begins, ends, zone FROM notification_quiet_hours")
_BEGIN = text(
    """INSERT INTO notification_deliveries AS d (delivery_id, notification_id, channel_id, level,
           state, tries, first_at, last_at, reason)
       VALUES (:delivery, :notification, :channel, :level, 'waiting', 1, :at, :at, '')
       ON CONFLICT (delivery_id) DO UPDATE SET tries = d.tries + 1, last_at = :at
       WHERE d.state = 'waiting' RETURNING tries"""
)
_END = text(
    """UPDATE notification_deliveries SET state = :state, last_at = :at, reason = :reason
       WHERE delivery_id = :delivery AND state = 'waiting' RETURNING channel_id"""
)
_CLOSE = text(
    """UPDATE notifications SET closed_at = :at, closed_because = :reason
       WHERE notification_id = :notification AND closed_at IS NULL"""
)
_DROP = text(
    """UPDATE notification_deliveries SET state = 'dropped', last_at = :at
       WHERE notification_id = :notification AND state = 'waiting'"""
)
_PENDING = text("SELECT * FROM notification_pending(CAST(:limit AS integer))")
_PASSED = text(
    """INSERT INTO notification_cursors AS c (scope, sequence) VALUES (:scope, :sequence)
       ON CONFLICT (scope) DO UPDATE SET sequence = greatest(c.sequence, excluded.sequence)"""
)


class PostgresNotifications:
    """Implement ``NotificationRecord`` over a Database of the role ``aether_notifier``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record_notice(self, notice: Notice) -> Standing:
        """Count an occurrence in its incident's notification, made where none is open."""
        values = {
            "occurrence": notice.occurrence,
            "key": notice.key,
            "event": notice.event,
            "severity": notice.severity.value,
            "scope": notice.scope,
            "title": notice.title,
            "detail": notice.detail,
            "runbook": notice.runbook,
            "recipients": list(notice.recipients),
            "at": notice.at,
        }
        async with self._database.no_scope() as session:
            await session.sql(_LOCK, {"key": notice.key})
            known = (await session.sql(_KNOWN, {"occurrence": notice.occurrence})).first()
            if known is not None:
                return Standing(known.notification_id, False, known.open, known.needed)  # noqa: FBT003
            found = (await session.sql(_OPEN, {"key": notice.key})).first()
            if found is None and notice.resolves:
                return Standing("", is_new=True, is_open=False, needs_telling=False)
            if found is None:
                await session.sql(_MAKE, values)
                notification, acknowledged = notice.occurrence, False
            else:
                notification = found.notification_id
                acknowledged = found.acknowledged_at is not None
                change = _RESOLVE if notice.resolves else _REPEAT
                worst = max(notice.severity, Severity(found.severity), key=lambda s: s.rank)
                await session.sql(
                    change, values | {"notification": notification, "severity": worst.value}
                )
            await session.sql(
                _COUNT,
                {
                    "occurrence": notice.occurrence,
                    "notification": notification,
                    "at": notice.at,
                },
            )
        needed = not acknowledged and not notice.resolves
        return Standing(notification, is_new=True, is_open=True, needs_telling=needed)

    async def needs_telling(self, notification: str) -> bool:
        """Tell whether a notification is neither acknowledged nor over."""
        rows = await self._database.call(_NEEDED, {"notification": notification})
        return bool(rows and rows[0].needed)

    async def recipients(self) -> Sequence[Recipient]:
        """Return everybody who may act, with their channels."""
        async with self._database.no_scope() as session:
            people = (await session.sql(_PEOPLE)).all()
            channels = (await session.sql(_CHANNELS)).all()
            quiet = {row.user_id: _quiet(row) for row in (await session.sql(_QUIET)).all()}
        return [
            Recipient(
                person.user_id,
                tuple(Grant(Role(role), scope) for role, scope in _document(person.grants)),
                tuple(_channel(row) for row in channels if row.user_id == person.user_id),
                quiet.get(person.user_id),
            )
            for person in people
        ]

    async def channel(self, channel: str) -> Channel | None:
        """Return a channel, None when its owner has removed it or may act no more."""
        rows = await self._database.call(_CHANNEL, {"channel": channel})
        return _channel(rows[0]) if rows else None

    async def begin_delivery(self, delivery: Delivery, at: datetime) -> bool:
        """Count a try; False when the message has been delivered before."""
        values = {
            "delivery": delivery.delivery,
            "notification": delivery.notification,
            "channel": delivery.channel,
            "level": delivery.level,
            "at": at,
        }
        async with self._database.no_scope() as session:
            return (await session.sql(_BEGIN, values)).first() is not None

    async def end_delivery(
        self, delivery: Delivery, at: datetime, *, sent: bool, final: bool, reason: str = ""
    ) -> None:
        """Write what a try came to; what is given up is told by the record, too."""
        state = "sent" if sent else "failed" if final else "waiting"
        values = {"delivery": delivery.delivery, "state": state, "at": at, "reason": reason}
        async with self._database.account_scope(PLATFORM_SCOPE) as session:
            changed = (await session.sql(_END, values)).first()
            # Of a message about such a message nothing is told: there would be no end of it.
            if changed is not None and state == "failed" and delivery.notice.event != UNDELIVERED:
                await _tell_undelivered(session, delivery, reason)

    async def close(self, closing: Closing, at: datetime) -> None:
        """Count no more occurrences in a notification; messages that wait are dropped."""
        values = {"notification": closing.notification, "reason": closing.reason, "at": at}
        async with self._database.no_scope() as session:
            await session.sql(_CLOSE, values)
            await session.sql(_DROP, {"notification": closing.notification, "at": at})

    async def pending_actions(self, limit: int) -> Sequence[RecordedAction]:
        """Return the oldest rows of the record, of all chains, that nobody has looked at."""
        return [
            RecordedAction(
                row.scope,
                row.sequence,
                row.action,
                row.actor,
                row.correlation,
                {name: str(value) for name, value in _document(row.details).items()},
                row.at,
            )
            for row in await self._database.call(_PENDING, {"limit": limit})
        ]

    async def passed(self, scope: str, sequence: int) -> None:
        """Remember that a chain's rows have been dealt with up to one."""
        async with self._database.no_scope() as session:
            await session.sql(_PASSED, {"scope": scope, "sequence": sequence})


async def _tell_undelivered(session: SqlSession, delivery: Delivery, reason: str) -> None:
    details = {"channel": delivery.channel, "user": delivery.user, "reason": reason}
    await audit.append(
        session,
        PLATFORM_SCOPE,
        "aether",
        "notification_undelivered",
        details,
        f"notification/{delivery.notification}",
    )


def _channel(row: Any) -> Channel:
    return Channel(
        row.channel_id, ChannelKind(row.kind), row.address, Severity(row.minimum), tuple(row.events)
    )


def _quiet(row: Any) -> QuietHours:
    return QuietHours(time.fromisoformat(row.begins), time.fromisoformat(row.ends), row.zone)


def _document(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value
