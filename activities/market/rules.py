"""What the rules say of the market: the universe reviewed, correlation groups computed, both told.

These steps run beside the feed, in the market worker, where the pairs and their bars are at hand.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import structlog
from temporalio import activity

from activities.execution.placement import Clock
from activities.failures import typed_failures
from activities.heartbeat import heartbeating
from activities.pauses import GrowingPause
from activities.ports.exchange_errors import RateLimitedError
from activities.ports.messaging import Messenger
from activities.ports.rules import (
    BarStore,
    CorrelationRecord,
    PairQuote,
    PairSource,
    UniverseAuthorship,
    UniverseRecord,
)
from models.contracts.market_rules import (
    GroupsComputed,
    MarketRulesRun,
    RulesTold,
    UniverseReviewed,
)
from models.trading.account.facts import MarketRulesTold
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.market import Candle
from models.trading.settings.reading import PlatformRules
from models.trading.universe.changes import finish_leaving, refresh
from models.trading.universe.correlation import correlate
from models.trading.universe.pairs import PairFacts, Universe, UniversePair, bucket_of, propose

log = structlog.get_logger(__name__)

ZERO = Decimal(0)
DAY_MINUTES = 1440
VOLUME_DAYS = 30
DAYS_KEPT = 720
LONGEST_PAUSE_SECONDS = 60.0
INSTALLATION = "installation"
FIRST_REASON = "first start: every USD spot pair that the exchange lists; no person has approved it"


class AccountsNotRunningError(RuntimeError):
    """Accounts whose workflow does not run (yet) could not be told."""


class MarketRulesActivities:
    """Review the universe, compute the groups, tell the accounts; each step may be repeated."""

    def __init__(
        self,
        pairs: PairSource,
        bars: BarStore,
        universe: UniverseRecord,
        correlations: CorrelationRecord,
        messenger: Messenger,
        accounts: Callable[[], Awaitable[list[str]]],
        rules: Callable[[], Awaitable[PlatformRules]],
        clock: Clock,
        bar_minutes: int,
        settings: Callable[[], Awaitable[SettingsInForce]] | None = None,
    ) -> None:
        self._pairs = pairs
        self._bars = bars
        self._universe = universe
        self._correlations = correlations
        self._messenger = messenger
        self._accounts = accounts
        self._rules = rules
        self._clock = clock
        self._bar_minutes = bar_minutes
        self._settings = settings

    @activity.defn
    async def review_universe(self, request: MarketRulesRun) -> UniverseReviewed:
        """Bring the universe up to date with the exchange and write what the rules propose.

        Without any universe the installation approves the first one itself, and says so: trading
        begins with what the exchange lists.
        """
        async with heartbeating():
            with typed_failures():
                instruments = await self._pairs.instruments()
                quotes = await self._pairs.quotes()
                rules = (await self._rules()).universe
                facts = [
                    await self._facts(one, quotes.get(symbol))
                    for symbol, one in sorted(instruments.items())
                ]
                current = await self._universe.current()
                if current is None:
                    return await self._install(facts)
                held = await self._universe.held_symbols()
                updated = finish_leaving(refresh(current, instruments), held)
                # Also when nothing has changed: that it was looked at is what accounts rely on.
                await self._universe.refresh(updated, self._clock())
                proposal = propose(facts, updated, rules)
                number = None
                if not proposal.is_empty:
                    number = await self._universe.save_proposal(proposal, self._clock())
        joins = tuple(pair.symbol for pair in proposal.join)
        log.info("universe reviewed", run=request.boundary, joins=joins, leaves=proposal.leave)
        return UniverseReviewed(updated.version, False, number, joins, proposal.leave)  # noqa: FBT003

    @activity.defn
    async def compute_groups(self, request: MarketRulesRun) -> GroupsComputed:
        """Compute the correlation groups of the universe from stored bars and write them."""
        async with heartbeating():
            with typed_failures():
                rules = (await self._rules()).correlation
                universe = await self._universe.current()
                symbols = sorted(universe.pairs) if universe is not None else []
                histories: dict[str, list[Candle]] = {
                    symbol: await self._bars.recent_candles(
                        symbol, self._bar_minutes, rules.window + 1
                    )
                    for symbol in symbols
                }
                # In a thread: the feed shares this process, and its events must not wait.
                _, together = await self._correlations.current_groups()
                found = await asyncio.to_thread(correlate, histories, rules, together)
                ends = [bars[-1].start for bars in histories.values() if bars]
                until = max(ends) + timedelta(minutes=self._bar_minutes) if ends else None
                number = await self._correlations.save_correlations(found, self._clock(), until)
        log.info("groups computed", run=request.boundary, groups=len(found.groups))
        return GroupsComputed(number, len(symbols), len(found.groups))

    @activity.defn
    async def tell_market_rules(self) -> RulesTold:
        """Tell every account the universe, the groups and the platform's settings in force.

        Raises:
            AccountsNotRunningError: some could not be told; the others were.
        """
        universe = await self._universe.current() or Universe()
        number, groups = await self._correlations.current_groups()
        fact = MarketRulesTold(
            universe_version=universe.version,
            universe=tuple(sorted(universe.allowed)),
            buckets=universe.buckets,
            groups_number=number,
            groups=dict(groups),
            at=self._clock(),
            settings=None if self._settings is None else await self._settings(),
            universe_reviewed_at=await self._universe.reviewed_at(),
            groups_computed_at=await self._correlations.computed_at(),
        )
        accounts = await self._accounts()
        missed = [one for one in accounts if not await self._messenger.tell_account(one, [fact])]
        if missed:
            raise AccountsNotRunningError(f"not running: {', '.join(missed)}")
        return RulesTold(len(accounts))

    async def _facts(self, instrument: Instrument, quote: PairQuote | None) -> PairFacts:
        days = await self._days(instrument.symbol)
        recent = days[-VOLUME_DAYS:]
        volume = (
            sum((bar.volume * bar.close for bar in recent), ZERO) / len(recent) if recent else None
        )
        if volume is None and quote is not None:
            volume = quote.daily_volume
        spread = None if quote is None else quote.spread_share
        return PairFacts(instrument, volume, len(days), spread)

    async def _days(self, symbol: str) -> list[Candle]:
        """Return the stored daily bars, brought up to date with those of the exchange."""
        pause = GrowingPause(1.0, LONGEST_PAUSE_SECONDS)
        while True:
            try:
                await self._bars.save_candles(await self._pairs.history(symbol, DAY_MINUTES))
            except RateLimitedError as error:
                await asyncio.sleep(max(error.retry_after_seconds, pause.next()))
            else:
                return await self._bars.recent_candles(symbol, DAY_MINUTES, DAYS_KEPT)

    async def _install(self, facts: list[PairFacts]) -> UniverseReviewed:
        rules = (await self._rules()).universe
        listed = [
            one
            for one in facts
            if one.instrument.is_spot_usd and one.instrument.status is InstrumentStatus.ONLINE
        ]
        pairs = {
            one.instrument.symbol: UniversePair(
                one.instrument.symbol,
                bucket_of(one.instrument.base, one.daily_volume or ZERO, rules),
                one.instrument.quantity_minimum,
                one.instrument.cost_minimum,
                one.instrument.status,
            )
            for one in listed
        }
        first = replace(Universe(), version=1, pairs=pairs)
        by = UniverseAuthorship(
            "aether", INSTALLATION, FIRST_REASON, self._clock(), joins=tuple(sorted(pairs))
        )
        installed = await self._universe.install(first, by)
        log.info("universe installed", pairs=sorted(pairs))
        return UniverseReviewed(1, installed, None, by.joins)
