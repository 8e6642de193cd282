"""Telling other systems: the outbox that holds what has happened, and the broker that takes it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from models.contracts.events import Event


class BrokerUnavailableError(ConnectionError):
    """The broker did not acknowledge; what was sent is sent again."""


class EventOutbox(Protocol):
    """What waits to be sent, by account and in the order of its commits."""

    async def scopes(self) -> list[str]:
        """Return every account, and the platform."""
        ...

    async def waiting(self, account: str) -> Sequence[Event]:
        """Return what waits of an account, the oldest first, a page at most."""
        ...

    async def sent(self, account: str, sequence: int, at: datetime) -> None:
        """Forget everything of an account up to a number: the broker has it."""
        ...


class EventBroker(Protocol):
    """A broker of at-least-once delivery that keeps what it has acknowledged."""

    async def publish(self, event: Event) -> None:
        """Return when the broker has stored the event, under its id.

        Raises:
            BrokerUnavailableError: it has not, or nobody can tell.
        """
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...
