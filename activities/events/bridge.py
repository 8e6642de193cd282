"""The bridge: brings events from the outbox to the broker, in order for each account.

At least once: an event leaves the outbox when the broker has acknowledged it. Its id is always the
same, by which the broker and consumers know it again.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog
from pydantic import ValidationError

from activities.pauses import GrowingPause
from activities.ports.events import BrokerUnavailableError, EventBroker, EventOutbox

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.2
RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.2, 5.0


class EventBridge:
    """Sends what waits, account beside account; one account's events one after the other."""

    def __init__(
        self,
        outbox: EventOutbox,
        broker: EventBroker,
        now: Callable[[], datetime],
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Join an outbox with a broker.

        Args:
            outbox: where events wait.
            broker: who is told of them.
            now: the time.
            told: called after each round: why events wait, "" where they do not.
        """
        self._outbox, self._broker, self._now, self._told = outbox, broker, now, told

    async def run(self) -> None:
        """Send for ever; a broker or record that does not answer is waited for."""
        pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
        while True:
            try:
                sent = await self.send_waiting()
            except (BrokerUnavailableError, ConnectionError) as error:
                log.warning("events wait", error=str(error))
                self._told(str(error) or type(error).__name__)
                await asyncio.sleep(pause.next())
            else:
                self._told("")
                pause = GrowingPause(RETRY_SECONDS, LONGEST_RETRY_SECONDS)
                if not sent:
                    await asyncio.sleep(IDLE_SECONDS)

    async def send_waiting(self) -> int:
        """Send a page of every account; return how many events were sent.

        Raises:
            BrokerUnavailableError: the broker did not take one; those before it are forgotten.
        """
        scopes = await self._outbox.scopes()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._send(account)) for account in scopes]
        failures = [found for task in tasks if isinstance(found := task.result(), Exception)]
        if failures:
            raise failures[0]
        return sum(found for task in tasks if isinstance(found := task.result(), int))

    async def _send(self, account: str) -> int | BrokerUnavailableError:
        sent, last, failure = 0, 0, None
        for event in await self._outbox.waiting(account):
            try:
                await self._broker.publish(event)
            except BrokerUnavailableError as error:
                failure = error
                break
            except ValidationError as error:
                # It blocks what follows it, of its account alone: to skip it would be a loss that
                # nobody hears of.
                why = f"event {event.event_id} has not its schema: {error.errors()[0]['loc']}"
                log.exception("an event cannot be told", event_id=event.event_id, kind=event.kind)
                failure = BrokerUnavailableError(why)
                break
            sent, last = sent + 1, event.sequence
        if sent:
            await self._outbox.sent(account, last, self._now())
        return failure or sent
