"""How many entries may be under way at once: what is more waits briefly, then is turned away.

The account decides one request after the other, and each takes the machine some time. A burst that
is let in whole delays the stops of its own first positions; one that is let in piece by piece
does not.
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
    """Admits requests for entries of all accounts while protection keeps up."""

    def __init__(self, load: ProtectionLoad) -> None:
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
            async with asyncio.timeout(WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise overloaded("too many entries are under way at once") from None
        try:
            self._refuse_behind_protection(account)
            yield
        finally:
            self._slots.release()

    def _refuse_behind_protection(self, account: str) -> None:
        reason = self.load.refusal(account)
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
