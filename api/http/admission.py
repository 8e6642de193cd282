"""How many entries may be under way at once: what is more waits briefly, then is turned away.

The account decides one request after the other, and each takes the machine some time. A burst that
is let in whole delays the stops of its own first positions; one that is let in piece by piece
does not.

A market in lockstep waits for protection by itself, and no trade may depend on how busy the machine
is: there nobody is refused for load, by a person's request as little as by a strategy's idea.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from activities.execution.protection_load import ProtectionLoad
from api.http.problems import ProblemError

ENTRIES_AT_ONCE = 6
WAIT_SECONDS = 1.0
RETRY_AFTER_SECONDS = 2


class EntryAdmission:
    """Admits requests for entries of all accounts while protection keeps up.

    ``load`` is None in lockstep: whoever finds no slot waits for one.
    """

    def __init__(self, load: ProtectionLoad | None) -> None:
        self.load = load
        self._slots = asyncio.Semaphore(ENTRIES_AT_ONCE)

    @asynccontextmanager
    async def admit(self, account: str) -> AsyncIterator[None]:
        """Hold one of the slots.

        Raises:
            ProblemError: ``overloaded``, 503 with Retry-After; nothing was begun.
        """
        self._refuse_behind_protection(account)
        try:
            async with asyncio.timeout(None if self.load is None else WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise overloaded("too many entries are under way at once") from None
        try:
            self._refuse_behind_protection(account)
            yield
        finally:
            self._slots.release()

    def degraded(self) -> list[str]:
        """Return what people must know while entries of all accounts are refused."""
        return [] if self.load is None else self.load.degraded()

    def _refuse_behind_protection(self, account: str) -> None:
        reason = None if self.load is None else self.load.refusal(account)
        if reason is not None:
            raise overloaded(reason)


def overloaded(reason: str) -> ProblemError:
    """Return the problem of an entry that is not accepted for load; a repeat may succeed."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "overloaded",
        f"No entry is accepted now: {reason}. Repeat with the same key.",
        lasting=False,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
