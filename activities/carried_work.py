"""Work that outlives the attempt which began it, so that an attempt cut short wastes nothing."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from temporalio import activity

T = TypeVar("T")
Key = tuple[str | None, str]


class CarriedWork:
    """Begin the work of an activity once; later attempts of it wait for what is under way.

    Temporal ends an attempt after a fixed time, however far it came. Work that spends a scarce
    budget page by page would spend it again in each attempt, and might never come to its end.
    """

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Task[Any]] = {}

    async def join(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the running activity's work, begun now or by an attempt before.

        A failure ends the work: the attempt that waits raises it, the next one begins anew.
        """
        info = activity.info()
        key = (info.workflow_run_id, info.activity_id)
        if key not in self._under_way:
            task = asyncio.create_task(work())
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        result: T = await asyncio.shield(self._under_way[key])
        return result

    def _ended(self, key: Key, task: asyncio.Task[Any]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # Nobody may be waiting just now: that is no failure unheard of.
