"""Who goes first when requests have to wait: protection before exits, entries and reads."""

import asyncio
import heapq
from enum import IntEnum
from itertools import count


class Priority(IntEnum):
    """Order of admission; lower goes first."""

    PROTECT = 0
    RECOVERY = 1
    EXIT = 2
    ENTRY = 3
    READ = 4
    BACKGROUND = 5


class PriorityGate:
    """Let one through at a time; of those who wait the most important, then the longest waiting."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._order = count()

    async def enter(self, priority: Priority) -> None:
        """Wait for the turn; whoever enters must leave."""
        if not self._busy:
            self._busy = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Pass the turn on."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False
