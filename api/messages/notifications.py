"""Shapes of notifications, of the channels they go over, and of what Alertmanager sends."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.messages.bodies import RequestBody
from api.messages.people import Label
from api.messages.schemas import Row
from models.trading.governance.notifications.notice import Severity
from models.trading.governance.notifications.routing import ChannelKind

NotificationId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
ChannelId = Annotated[str, Path(max_length=20, pattern=r"^[0-9a-f]{20}$")]
Line = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Text = Annotated[str, Field(max_length=1_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")]
EventName = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^(\*|[A-Za-z][A-Za-z0-9_.-]*)$")
]
Hour = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Zone = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]
Address = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[!-~]+$")]


class NotificationView(Row):
    """An incident that people are told of; it counts occurrences until ``closed_at``."""

    notification_id: str
    event: str
    severity: Severity
    scope: str
    title: str
    detail: str
    runbook: str
    since: datetime
    last_at: datetime
    occurrences: int
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    closed_at: datetime | None
    closed_because: str | None
    sent: int = 0
    waiting: int = 0
    failed: int = 0


class NotificationPage(BaseModel):
    """Notifications, newest first; ``following`` is the next page's cursor."""

    notifications: list[NotificationView]
    following: str


class DeliveryView(Row):
    """How one message fared; whose channel it is stays between them and the platform."""

    kind: ChannelKind
    user_id: str
    level: int
    state: str
    tries: int
    first_at: datetime
    last_at: datetime
    reason: str


class NotificationStory(NotificationView):
    """A notification with its messages."""

    deliveries: list[DeliveryView]


class KindStatus(BaseModel):
    """Whether messages of one kind can be sent; ``missing`` says what is not set up."""

    kind: ChannelKind
    missing: str
    channels: int
    sent: int
    failed: int
    last_failure: str


class NotificationStatus(BaseModel):
    """Whether people are reached: of the last day, and what waits now."""

    kinds: list[KindStatus]
    open: int
    unacknowledged: int
    backlog: int
    oldest_waiting: datetime | None


class Acknowledge(RequestBody):
    """Somebody has seen it."""


class PostNotice(RequestBody):
    """Something to tell people, by whoever runs the platform."""

    title: Line
    detail: Text = ""
    severity: Severity = Severity.INFORMATION
    event: EventName = "message"


class Posted(BaseModel):
    """What was taken."""

    notices: int


class Alert(BaseModel):
    """One alert as Alertmanager sends it; what is not read is let pass."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["firing", "resolved"]
    labels: Annotated[dict[str, str], Field(max_length=64)]
    annotations: Annotated[dict[str, str], Field(max_length=64)] = {}
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]
    startsAt: AwareDatetime  # noqa: N815  # Alertmanager's name
    endsAt: AwareDatetime | None = None  # noqa: N815


class Alerts(BaseModel):
    """What Alertmanager's webhook sends (version 4)."""

    model_config = ConfigDict(extra="ignore")

    version: Literal["4"]
    alerts: Annotated[list[Alert], Field(max_length=1_000)]


class ChannelView(Row):
    """One way in which the caller is told."""

    channel_id: str
    kind: ChannelKind
    label: str
    address: str
    minimum: Severity
    events: list[str]
    created_at: datetime


class QuietHoursView(Row):
    """Local hours in which only what is critical is told; equal: there are none."""

    begins: str
    ends: str
    zone: str


class EventChoice(BaseModel):
    """An event that can be chosen."""

    event: str
    severity: Severity
    title: str


class Channels(BaseModel):
    """How the caller is told, and what there is to choose from."""

    channels: list[ChannelView]
    quiet_hours: QuietHoursView | None
    unavailable: dict[str, str]
    events: list[EventChoice]


class AddChannel(RequestBody):
    """Another way to reach the caller.

    ``address`` is a mailbox, a phone number with its ``+``, an https address, or a chat's id.
    """

    kind: ChannelKind
    label: Label
    address: Address
    minimum: Severity = Severity.INFORMATION
    events: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=200)] = ("*",)


class AddedChannel(BaseModel):
    """The channel; a webhook's key is shown this once."""

    channel_id: str
    webhook_key: str | None


class SetQuietHours(RequestBody):
    """When the caller is told only what is critical."""

    begins: Hour
    ends: Hour
    zone: Zone
