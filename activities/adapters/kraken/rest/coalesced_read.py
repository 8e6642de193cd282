"""Questions of one kind that wait for their turn are asked together, in one request."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from activities.adapters.kraken.limits.priority_gate import Priority

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


@dataclass(eq=False)
class _Batch(Generic[Wish, Answer]):
    wishes: list[Wish] = field(default_factory=list)
    asking: int = 0
    priority: Priority = Priority.BACKGROUND
    admissions: set[asyncio.Task[None]] = field(default_factory=set)
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    carried: asyncio.Task[Answer] | None = None


class CoalescedRead(Generic[Wish, Answer]):
    """Merge what is asked while a request waits for its turn; it is sent once for all of them.

    A turn comes when the request is admitted and no other of the kind that is as urgent is under
    way. Whoever asks after that belongs to the next one. So an answer always comes
    from a request that was sent after it was asked for, and may prove that something is absent.
    """

    def __init__(
        self,
        admit: Callable[[Priority], Awaitable[None]],
        send: Callable[[list[Wish], Priority], Awaitable[Answer]],
        maximum: int | None = None,
    ) -> None:
        """``maximum`` is how many wishes fit into one request."""
        self._admit = admit
        self._send = send
        self._maximum = maximum
        self._gathering: _Batch[Wish, Answer] | None = None
        self._under_way: set[_Batch[Wish, Answer]] = set()

    async def ask(self, wishes: list[Wish], priority: Priority) -> Answer:
        """Return the answer to a request that holds these wishes and perhaps others'.

        Raises:
            RateLimitedError: none of those who asked was admitted within the budget's patience.
            ExchangeError: the request failed.
        """
        batch = self._joined(wishes)
        batch.asking += 1
        self._ask_admission(batch, priority)
        assert batch.carried is not None
        try:
            return await asyncio.shield(batch.carried)
        finally:
            batch.asking -= 1
            if not batch.asking:
                self._abandon(batch)

    def _joined(self, wishes: list[Wish]) -> _Batch[Wish, Answer]:
        batch = self._gathering
        full = (
            batch is not None
            and self._maximum is not None
            and len({*batch.wishes, *wishes}) > self._maximum
        )
        if batch is None or full:
            batch = self._gathering = _Batch()
            batch.carried = asyncio.create_task(self._carry(batch))
        batch.wishes.extend(wishes)
        return batch

    def _ask_admission(self, batch: _Batch[Wish, Answer], priority: Priority) -> None:
        """Queue once for each priority that is higher than those before: the first in wins."""
        if batch.admissions and priority >= batch.priority:
            return
        batch.priority = min(batch.priority, priority)
        if batch.decided.is_set():
            batch.hurried.set()
            return
        admission = asyncio.create_task(self._admission(priority))
        batch.admissions.add(admission)
        admission.add_done_callback(lambda _: self._consider(batch))

    async def _admission(self, priority: Priority) -> None:
        await self._admit(priority)

    def _consider(self, batch: _Batch[Wish, Answer]) -> None:
        admitted = any(_succeeded(task) for task in batch.admissions)
        if not admitted and not all(task.done() for task in batch.admissions):
            return
        batch.decided.set()

    async def _carry(self, batch: _Batch[Wish, Answer]) -> Answer:
        try:
            await batch.decided.wait()
        finally:
            for task in batch.admissions:
                task.cancel()
        if any(_succeeded(task) for task in batch.admissions):
            await self._others_done(batch)
        self._stop_gathering(batch)
        if not any(_succeeded(task) for task in batch.admissions):
            await asyncio.gather(*batch.admissions)
        self._under_way.add(batch)
        try:
            return await self._send(list(dict.fromkeys(batch.wishes)), batch.priority)
        finally:
            self._under_way.discard(batch)

    async def _others_done(self, batch: _Batch[Wish, Answer]) -> None:
        hurried = asyncio.create_task(batch.hurried.wait())
        try:
            while others := [
                one.carried for one in self._under_way if one.priority <= batch.priority
            ]:
                batch.hurried.clear()
                waited = [hurried, *(task for task in others if task is not None)]
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if hurried.done():
                    hurried = asyncio.create_task(batch.hurried.wait())
        finally:
            hurried.cancel()

    def _abandon(self, batch: _Batch[Wish, Answer]) -> None:
        self._stop_gathering(batch)
        if batch.carried is not None:
            batch.carried.cancel()

    def _stop_gathering(self, batch: _Batch[Wish, Answer]) -> None:
        if self._gathering is batch:
            self._gathering = None


def _succeeded(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
