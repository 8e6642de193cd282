"""Notifications, the channels they go over, and how each message fared."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from models.tables.columns import Moment, Names


class NotificationRow(SQLModel, table=True):
    """An incident that people are told of; ``scope`` is an account or ``platform``.

    Occurrences are counted in it until ``closed_at``.
    """

    __tablename__ = "notifications"

    notification_id: str = Field(primary_key=True)
    key: str
    event: str
    severity: str
    scope: str
    title: str
    detail: str
    runbook: str
    recipients: list[str] = Field(sa_type=Names)
    since: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)
    occurrences: int
    acknowledged_at: datetime | None = Field(default=None, sa_type=Moment)
    acknowledged_by: str | None = None
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    closed_because: str | None = None


class NotificationOccurrenceRow(SQLModel, table=True):
    """One occurrence, counted once however often it is told."""

    __tablename__ = "notification_occurrences"

    occurrence_id: str = Field(primary_key=True)
    notification_id: str = Field(foreign_key="notifications.notification_id")
    at: datetime = Field(sa_type=Moment)


class NotificationChannelRow(SQLModel, table=True):
    """A way to reach a person, and what comes over it."""

    __tablename__ = "notification_channels"

    channel_id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="people.user_id")
    kind: str
    label: str
    address: str
    minimum: str
    events: list[str] = Field(sa_type=Names)
    created_at: datetime = Field(sa_type=Moment)
    removed_at: datetime | None = Field(default=None, sa_type=Moment)


class NotificationDeliveryRow(SQLModel, table=True):
    """A message over one channel: ``waiting``, ``sent``, ``failed`` or ``dropped``."""

    __tablename__ = "notification_deliveries"

    delivery_id: str = Field(primary_key=True)
    notification_id: str = Field(foreign_key="notifications.notification_id")
    channel_id: str = Field(foreign_key="notification_channels.channel_id")
    level: int
    state: str
    tries: int
    first_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)
    reason: str


class NotificationQuietHoursRow(SQLModel, table=True):
    """Local hours in which a person is told only what is critical, as ``HH:MM``."""

    __tablename__ = "notification_quiet_hours"

    user_id: str = Field(primary_key=True, foreign_key="people.user_id")
    begins: str
    ends: str
    zone: str
    changed_at: datetime = Field(sa_type=Moment)


class NotificationCursorRow(SQLModel, table=True):
    """How far a chain of the record has been looked at."""

    __tablename__ = "notification_cursors"

    scope: str = Field(primary_key=True)
    sequence: int = Field(sa_type=BigInteger)
