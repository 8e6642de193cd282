"""Messages of notifications: what has happened, what became of it, and what is sent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.trading.governance.notifications.notice import Notice
from models.trading.governance.notifications.routing import Escalation, Route

NOTIFICATION_QUEUE = "notifications"
NOTIFICATION_WORKFLOW = "NotificationWorkflow"
OCCURRED_SIGNAL = "occurred"
ACKNOWLEDGE_SIGNAL = "acknowledge"


def notification_workflow_id(key: str) -> str:
    """Return the workflow id of an incident, by its key."""
    return f"notification/{key}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a notification stands in the record.

    Attributes:
        notification: its id, which is that of its first occurrence.
        is_new: whether what was recorded just now was not known before.
        is_open: whether occurrences are counted in it still.
        needs_telling: whether nobody has acknowledged it and it is not over.
    """

    notification: str
    is_new: bool
    is_open: bool
    needs_telling: bool


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """What an incident's workflow carries from run to run.

    Attributes:
        notification: id of the notification.
        notice: the newest occurrence.
        level: how often nobody has acknowledged in time.
        batches: how many rounds of messages have gone out; part of every message's id.
        sent_at: when the last round went out.
        opened_at: when the incident began.
        repeated: whether it has occurred again since the last round.
    """

    notification: str
    notice: Notice
    level: int
    batches: int
    sent_at: datetime
    opened_at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class NotificationInput:
    """What the workflow of an incident starts from; what happens later comes as signals."""

    key: str
    first: Notice | None = None
    incident: OpenIncident | None = None
    escalation: Escalation | None = None


@dataclass(frozen=True, slots=True)
class RoutesToPlan:
    """Asks who is told of a notification now."""

    notification: str
    notice: Notice
    level: int


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """The messages of one round; none when somebody has acknowledged meanwhile."""

    routes: tuple[Route, ...]
    escalation: Escalation
    needs_telling: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one channel; ``delivery`` is its id, the same for each try."""

    delivery: str
    notification: str
    notice: Notice
    channel: str
    user: str
    level: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that was given up, and why."""

    delivery: Delivery
    reason: str


@dataclass(frozen=True, slots=True)
class Closing:
    """A notification in which no more occurrences are counted; ``reason`` says why."""

    notification: str
    reason: str
    waited: timedelta
