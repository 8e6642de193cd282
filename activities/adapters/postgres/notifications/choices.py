"""What people say of notifications: seen, channels, quiet hours; each with a row of the record."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from activities.adapters.postgres import audit
from infra.runtime.database.connections import PLATFORM_SCOPE, Database

_ACKNOWLEDGE = text(
    """UPDATE notifications SET acknowledged_at = :at, acknowledged_by = :by
       WHERE notification_id = :notification AND acknowledged_at IS NULL RETURNING key, event"""
)
_ADD = text(
    """INSERT INTO notification_channels (channel_id, user_id, kind, label, address, minimum,
           events, created_at)
       VALUES (:channel, :user, :kind, :label, :address, :minimum, CAST(:events AS text[]), :at)
       ON CONFLICT (channel_id) DO NOTHING"""
)
_REMOVE = text(
    """UPDATE notification_channels SET removed_at = :at
       WHERE channel_id = :channel AND user_id = :user AND removed_at IS NULL
       RETURNING kind, label"""
)
_SET_QUIET = text(
    """INSERT INTO notification_quiet_hours AS q (user_id, begins, ends, zone, changed_at)
       VALUES (:user, :begins, :ends, :zone, :at)
       ON CONFLICT (user_id) DO UPDATE SET begins = excluded.begins, ends = excluded.ends,
           zone = excluded.zone, changed_at = excluded.changed_at"""
)


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel to be added for a person."""

    channel: str
    user: str
    kind: str
    label: str
    address: str
    minimum: str
    events: tuple[str, ...]


async def acknowledge(database: Database, notification_id: str, by: str, at: datetime) -> None:
    """Write that somebody has seen a notification; the first who has is kept."""
    values = {"notification": notification_id, "by": by, "at": at}
    async with database.account_scope(PLATFORM_SCOPE) as session:
        changed = (await session.sql(_ACKNOWLEDGE, values)).first()
        if changed is not None:
            details = {"event": changed.event, "key": changed.key}
            correlation = f"notification/{notification_id}"
            await audit.append(
                session, PLATFORM_SCOPE, by, "notification_acknowledged", details, correlation
            )


async def add_channel(database: Database, channel: NewChannel, at: datetime) -> None:
    """Add a channel; the record tells its kind and label, never where it leads."""
    values = {
        "channel": channel.channel,
        "user": channel.user,
        "kind": channel.kind,
        "label": channel.label,
        "address": channel.address,
        "minimum": channel.minimum,
        "events": list(channel.events),
        "at": at,
    }
    details = {"channel": channel.channel, "kind": channel.kind, "label": channel.label}
    async with database.account_scope(PLATFORM_SCOPE) as session:
        added = await session.sql(_ADD, values)
        if added.rowcount:
            await audit.append(
                session,
                PLATFORM_SCOPE,
                f"user/{channel.user}",
                "notification_channel_added",
                details,
            )


async def remove_channel(database: Database, user: str, channel: str, at: datetime) -> bool:
    """Remove a person's channel; False when they have none of that id."""
    async with database.account_scope(PLATFORM_SCOPE) as session:
        values = {"channel": channel, "user": user, "at": at}
        gone = (await session.sql(_REMOVE, values)).first()
        if gone is None:
            return False
        details = {"channel": channel, "kind": gone.kind, "label": gone.label}
        await audit.append(
            session, PLATFORM_SCOPE, f"user/{user}", "notification_channel_removed", details
        )
    return True


async def set_quiet_hours(
    database: Database, user: str, begins: str, ends: str, zone: str, at: datetime
) -> None:
    """Set a person's quiet hours."""
    details = {"begins": begins, "ends": ends, "zone": zone}
    async with database.account_scope(PLATFORM_SCOPE) as session:
        await session.sql(_SET_QUIET, details | {"user": user, "at": at})
        await audit.append(
            session, PLATFORM_SCOPE, f"user/{user}", "notification_quiet_hours_set", details
        )
