"""Gathering what going live rests on, and carrying a change of mode out."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from temporalio import activity

from activities.execution.order_submission import Clock
from activities.failures import typed_failures
from activities.ports.exchange import ExchangeDirectory
from activities.ports.modes import KeyInspector, ModeRecord
from activities.ports.secrets import Credentials, Secrets, key_fingerprint
from models.contracts.modes import ExchangeToChange, LiveFactsWanted
from models.trading.governance.going_live import KeyFacts, LiveFacts, LiveTerms, changed_terms
from models.trading.risk.limits import Mode
from models.trading.strategies.bootstrap import lower_bound


class ModeActivities:
    """Find out and carry out; nothing is judged here."""

    def __init__(
        self,
        record: ModeRecord,
        secrets: Secrets,
        inspector: KeyInspector,
        exchanges: ExchangeDirectory,
        accounts: Callable[[], Awaitable[list[str]]],
        limits_version: Callable[[str], Awaitable[int | None]],
        clock: Clock,
        *,
        record_fault: Callable[[], Awaitable[str]],
        held_by_freeze: Callable[[str, datetime], Awaitable[str]],
        market_is_live: bool,
    ) -> None:
        self._record = record
        self._secrets = secrets
        self._inspector = inspector
        self._exchanges = exchanges
        self._accounts = accounts
        self._limits_version = limits_version
        self._clock = clock
        self._record_fault = record_fault
        self._held_by_freeze = held_by_freeze
        self._market_is_live = market_is_live

    async def terms(self, account: str) -> LiveTerms:
        """Return what somebody agrees to who approves now that an account goes live."""
        own = await self._secrets.exchange_credentials(account, Mode.LIVE)
        key = None if own is None else key_fingerprint(own.key)
        return LiveTerms(key, await self._limits_version(account))

    @activity.defn
    async def gather_live_facts(self, request: LiveFactsWanted) -> LiveFacts:
        """Return everything that the conditions of going live are judged by."""
        account = request.account
        with typed_failures():
            reconciliation = await self._record.last_reconciliation(account)
            run = await self._record.simulation_run(account)
            wanted = await self._record.live_request(account, self._clock())
            left = await self._record.open_in_mode(account)
            agreed = None if wanted is None else wanted.terms
            people = await self._record.director_factors(account)
            return LiveFacts(
                key=await self._key(account),
                reconciled_at=None if reconciliation is None else reconciliation.at,
                differences=0 if reconciliation is None else reconciliation.differences,
                limits_version=await self._limits_version(account),
                requested_by="" if wanted is None else wanted.requested_by,
                approved_by=None if wanted is None else wanted.approved_by,
                simulated_for=None if run is None else run.length,
                simulated_trades=0 if run is None else run.trades,
                open_orders=left.trades,
                positions=left.positions,
                halts=left.halts,
                market_is_live=self._market_is_live,
                request=None if wanted is None else wanted.number,
                net_results=None if run is None else lower_bound(run.net_results),
                overrides_evidence=wanted is not None and wanted.overrides_evidence,
                directors=people.directors,
                directors_short=people.short,
                record_fault=await self._record_fault(),
                frozen=await self._frozen(request.request),
                outdated="" if agreed is None else changed_terms(agreed, await self.terms(account)),
            )

    @activity.defn
    async def change_exchange(self, request: ExchangeToChange) -> None:
        """Write the mode down, then let go of the old exchange; it may be repeated."""
        with typed_failures():
            await self._record.record_mode(request)
            await self._exchanges.switch(request.account)

    async def _frozen(self, request: str) -> str:
        return await self._held_by_freeze(request, self._clock())

    async def _key(self, account: str) -> KeyFacts | None:
        own = await self._secrets.exchange_credentials(account, Mode.LIVE)
        if own is None:
            return None
        sharing = [name for name in await self._accounts() if name != account]
        others = tuple([name for name in sharing if await self._has_key(name, own)])
        return KeyFacts(await self._inspector.permissions(account), others)

    async def _has_key(self, account: str, own: Credentials) -> bool:
        for mode in Mode:
            theirs = await self._secrets.exchange_credentials(account, mode)
            if theirs is not None and theirs.key == own.key:
                return True
        return False
