"""Telling people: one channel's messages, what is kept about them, and how one is begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.contracts.people.notifications import Closing, Delivery, Standing
from models.trading.governance.notifications.events import RecordedAction
from models.trading.governance.notifications.notice import Notice
from models.trading.governance.notifications.routing import Channel, ChannelKind, Recipient


class DeliveryFailedError(Exception):
    """A message was not taken; the same may be sent again, after ``retry_after`` seconds."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class DeliveryRefusedError(Exception):
    """A message will never be taken: the address is wrong, or nothing to send it is set up."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        identity: the same for each try, so that whoever receives it can drop a repeat.
        channel: id of the channel; a webhook's key belongs to it.
        subject: one line.
        text: all of it.
        short_text: what fits into a text message.
        notification: id of the notification.
        notice: what has happened.
        level: how often nobody has acknowledged before.
    """

    identity: str
    channel: str
    subject: str
    text: str
    short_text: str
    notification: str
    notice: Notice
    level: int


class Notifier(Protocol):
    """Sends messages of one kind of channel."""

    async def notify(self, address: str, message: Message) -> None:
        """Send one message, at least once; a repeat has the same identity.

        Raises:
            DeliveryFailedError: it may be sent again.
            DeliveryRefusedError: it may not.
        """
        ...


Notifiers = Mapping[ChannelKind, Notifier]


class ProviderSecrets(Protocol):
    """Passwords and tokens of mail servers and providers."""

    async def provider_secret(self, name: str) -> str | None:
        """Return a secret as it is now, None when there is none."""
        ...


class NotificationRecord(Protocol):
    """What is kept of notifications; every write may be repeated."""

    async def record_notice(self, notice: Notice) -> Standing:
        """Count an occurrence in its incident's notification, made where none is open."""
        ...

    async def needs_telling(self, notification: str) -> bool:
        """Tell whether a notification is neither acknowledged nor over."""
        ...

    async def recipients(self) -> Sequence[Recipient]:
        """Return everybody who may act, with their channels."""
        ...

    async def channel(self, channel: str) -> Channel | None:
        """Return a channel, None when its owner has removed it or may act no more."""
        ...

    async def begin_delivery(self, delivery: Delivery, at: datetime) -> bool:
        """Count a try; False when the message has been delivered before."""
        ...

    async def end_delivery(
        self, delivery: Delivery, at: datetime, *, sent: bool, final: bool, reason: str = ""
    ) -> None:
        """Write what a try came to."""
        ...

    async def close(self, closing: Closing, at: datetime) -> None:
        """Count no more occurrences in a notification."""
        ...

    async def pending_actions(self, limit: int) -> Sequence[RecordedAction]:
        """Return the oldest rows of the record, of all chains, that nobody has looked at."""
        ...

    async def passed(self, scope: str, sequence: int) -> None:
        """Remember that a chain's rows have been dealt with up to one."""
        ...
