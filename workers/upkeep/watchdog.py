"""The watchdog: sees that everything that should run does, and starts anew what was ended.

It lives in the trading process that is active, beside the worker: who could not run it could not
trade either, and the process that takes over takes it over too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.orders.restoration import RestorationRecord
from activities.adapters.temporal.engagements import EngineUnavailableError
from activities.adapters.temporal.liveness import (
    Expected,
    Silent,
    expected_workflows,
    running_workflows,
    silent_workflows,
)
from activities.metrics import WORKFLOWS_MISSING
from activities.ports.exchange_errors import ExchangeError
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.names import PLATFORM_WORKFLOW_ID, account_workflow_id
from models.trading.account.state import AccountState
from workers.upkeep.account_workflows import start_kill_switches, start_platform
from workers.upkeep.restoring import Restorer, UnrestorableError

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 2.0
LOOK_SECONDS_MAXIMUM = 30.0
DEEP_EVERY = 15
"""Looks after which schedules, approvals and old half-recorded entries are looked at too."""
ASKED_PER_LOOK = 10
"""Running workflows that are asked at each look whether they answer, in turn."""


@dataclass
class Watchdog:
    """Looks again and again; ``names`` are the accounts that should run.

    Attributes:
        keep_schedules: brings back schedules that were deleted.
        silent: what does not run, or does not answer, by the last look.
    """

    client: Client
    journal: PostgresJournal
    record: RestorationRecord
    restorer: Restorer
    names: Callable[[], Awaitable[list[str]]]
    keep_schedules: Callable[[], Awaitable[None]] | None = None
    silent: dict[str, str] = field(default_factory=dict)
    _looks: int = 0
    _turn: int = 0

    async def keep_looking(self, tell: Callable[[str], None]) -> None:
        """Look for ever; ``tell`` is given ``ok`` or what is wrong, after every look."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS_MAXIMUM):
                    await self.look()
            except (ConnectionError, TimeoutError, RPCError, ExchangeError) as error:
                log.warning("the watchdog could not look", error=str(error))
                tell(f"not looked: {type(error).__name__}")
            except Exception:
                # A watchdog that ends at an unforeseen row watches nobody any more.
                log.exception("the watchdog failed")
                tell("not looked: see the log")
            else:
                wrong = "; ".join(f"{name} {why}" for name, why in sorted(self.silent.items()))
                tell(wrong or "ok")
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """Take one look at everything; restore what does not run, name what does not answer."""
        deep = self._looks % DEEP_EVERY == 0
        self._looks += 1
        # In this order: a trade that settles in between is no longer expected, nor running.
        running = await running_workflows(self.client)
        names = await self.names()
        trades = await self.record.unsettled_trades(everything=deep)
        expected = expected_workflows(names, trades)
        asked = [one for one in expected if one.workflow_id not in running]
        asked += self._next_in_turn([one for one in expected if one.workflow_id in running])
        found = {s.workflow_id: s for s in await silent_workflows(self.client, asked)}
        looked_at = {one.workflow_id for one in asked}
        kept = {n: w for n, w in self.silent.items() if n not in looked_at}
        self.silent = kept | {s.workflow_id: s.detail for s in found.values()}
        await self._restore([one for one in asked if one.workflow_id in found], found)
        present = {one.workflow_id for one in expected}
        self.silent = {n: w for n, w in self.silent.items() if n in present}
        WORKFLOWS_MISSING.set(len(self.silent))
        await start_kill_switches(self.client, self.journal)
        if PLATFORM_WORKFLOW_ID not in running:
            await start_platform(self.client)
        if deep:
            await self._look_deep(names)

    async def _look_deep(self, names: list[str]) -> None:
        for name in (PLATFORM_SCOPE, *names):
            await self.restorer.approvals(name)
        if self.keep_schedules is not None:
            await self.keep_schedules()

    def _next_in_turn(self, running: list[Expected]) -> list[Expected]:
        if not running:
            return []
        start = self._turn % len(running)
        self._turn += ASKED_PER_LOOK
        return (running[start:] + running[:start])[:ASKED_PER_LOOK]

    async def _restore(self, missing: list[Expected], found: dict[str, Silent]) -> None:
        ended = [one for one in missing if not found[one.workflow_id].runs]
        if not ended:
            return
        states = {s.account: s for s in await self.journal.accounts()}
        # Accounts first: a trade reports to its own.
        for one in sorted(ended, key=lambda e: (e.trade is not None, e.workflow_id)):
            silent = found[one.workflow_id]
            try:
                await self._restore_one(one, silent, states)
            except (UnrestorableError, EngineUnavailableError) as error:
                log.error("a workflow cannot be restored yet", error=str(error))  # noqa: TRY400
                self.silent[one.workflow_id] = f"{silent.detail}; {error}"
            else:
                self.silent.pop(one.workflow_id, None)

    async def _restore_one(
        self, one: Expected, silent: Silent, states: dict[str, AccountState]
    ) -> None:
        if one.trade is not None:
            await self.restorer.trade(one.account, one.trade, silent)
        elif one.workflow_id == account_workflow_id(one.account):
            await self.restorer.account(states[one.account], silent)
        else:
            await self.restorer.companion(states[one.account], silent)
