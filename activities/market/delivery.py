"""How facts leave the market worker: side by side, or one after the other in lockstep."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from activities.ports.market import MarketRecord
from activities.ports.messaging import Messenger
from models.trading.trade.facts import HEDGE_WATCH, PriceCrossed, PriceWatch

log = structlog.get_logger(__name__)

RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Message:
    """A fact for an account, or for one of its trades; ``watch`` when it reports a crossing."""

    account: str
    trade: int | None
    fact: object
    watch: PriceWatch | None = None


class Delivery(Protocol):
    """Carries messages to workflows; each is delivered at least once."""

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Take messages for delivery."""
        ...


class Sender:
    """Deliver one message, trying until the workflow engine has taken it.

    The crossing is marked in the record after the signal: a crash in between repeats the signal,
    which the trade recognises by its watch id, and never loses it.
    """

    def __init__(self, messenger: Messenger, record: MarketRecord) -> None:
        self._messenger = messenger
        self._record = record

    async def carry(self, message: Message) -> None:
        """Deliver and, for a crossing, record it."""
        known = await self._persist(partial(self._tell, message))
        if not known:
            log.warning("nobody to tell", account=message.account, trade=message.trade)
        watch = message.watch
        if watch is not None and isinstance(message.fact, PriceCrossed):
            await self._persist(
                partial(self._record.mark_triggered, watch, message.fact.price, message.fact.at)
            )

    async def _tell(self, message: Message) -> bool:
        if message.trade is None:
            return await self._messenger.signal_account(message.account, [message.fact])
        if message.trade == HEDGE_WATCH:
            return await self._messenger.signal_hedge(message.account, [message.fact])
        return await self._messenger.signal_trade(message.account, message.trade, [message.fact])

    async def _persist(self, act: Callable[[], Awaitable[bool]]) -> bool:
        attempt = 0
        while True:
            try:
                return await act()
            except Exception:
                # Temporal or PostgreSQL is restarting: a fact waits for them, it is never dropped.
                log.warning("delivery waits", exc_info=True, attempt=attempt)
                await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1


class ConcurrentDelivery:
    """Start every delivery at once and go on; facts for one workflow keep their order."""

    def __init__(self, sender: Sender) -> None:
        self._courier = sender
        self._last: dict[tuple[str, int | None], asyncio.Task[None]] = {}

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Start the deliveries and return."""
        for message in messages:
            key = (message.account, message.trade)
            task = asyncio.create_task(self._after(self._last.get(key), message))
            self._last[key] = task
            task.add_done_callback(partial(self._forget, key))

    async def drain(self) -> None:
        """Wait until everything handed over has been taken."""
        while self._last:
            await asyncio.wait(list(self._last.values()))

    async def _after(self, earlier: asyncio.Task[None] | None, message: Message) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        await self._courier.carry(message)

    def _forget(self, key: tuple[str, int | None], done: asyncio.Task[None]) -> None:
        if self._last.get(key) is done:
            del self._last[key]


class LockstepDelivery:
    """Deliver one message at a time, and let the platform deal with it before the next.

    Two accounts that act on one idea would otherwise race to the exchange, and the same input would
    not give the same trades.
    """

    def __init__(self, sender: Sender, settle: Callable[[str], Awaitable[None]]) -> None:
        self._courier = sender
        self._settle = settle

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Deliver each message and wait until its account has settled."""
        for message in messages:
            await self._courier.carry(message)
            await self._settle(message.account)
