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

from activities.execution.order_submission import Clock
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
    RulesSignalled,
    UniverseReviewed,
)
from models.trading.account.facts import UniverseUpdated
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.instruments import Instrument
from models.trading.market import Candle
from models.trading.settings.reading import PlatformRules
from models.trading.universe.changes import finish_leaving, refresh
from models.trading.universe.correlation import correlate
from models.trading.universe.pairs import (
    PairFacts,
    Universe,
    UniverseRules,
    first_universe,
    propose,
    rules_of_own_market,
)

log = structlog.get_logger(__name__)

ZERO = Decimal(0)
DAY_MINUTES = 1440
VOLUME_DAYS = 30
DAYS_KEPT = 720
LONGEST_PAUSE_SECONDS = 60.0
INSTALLATION = "installation"
HOUR_MINUTES = 60
HOURS_OF_DAY = 24
FIRST_REASON = (
    "first start: {passed} of {listed} listed pairs pass the rules of liquidity and history; "
    "no person has approved it"
)
OWN_MARKET = "this market is as old as the installation, so no pair of it can be younger"


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
        *,
        own_market: bool = False,
    ) -> None:
        """``own_market``: the market is generated or replayed, and began with the installation."""
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
        self._own_market = own_market

    @activity.defn
    async def review_universe(self, request: MarketRulesRun) -> UniverseReviewed:
        """Bring the universe up to date with the exchange and write what the rules propose.

        Without any universe the installation approves the first one itself, and says so: trading
        begins with what passes the rules from the start.
        """
        async with heartbeating():
            with typed_failures():
                instruments = await self._pairs.instruments()
                quotes = await self._pairs.quotes()
                rules = await self._universe_rules()
                facts = [
                    await self._facts(one, quotes.get(symbol))
                    for symbol, one in sorted(instruments.items())
                ]
                current = await self._universe.current()
                if current is None:
                    return await self._install(facts, rules, request.boundary)
                held = await self._universe.held_symbols()
                updated = finish_leaving(refresh(current, instruments), held)
                # Also when nothing has changed: that it was looked at is what accounts rely on.
                await self._universe.refresh(updated, self._clock())
                proposal = propose(facts, updated, rules, await self._universe.sanctioned())
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
    async def signal_market_rules(self) -> RulesSignalled:
        """Tell every account the universe, the groups and the platform's settings in force.

        Raises:
            AccountsNotRunningError: some could not be told; the others were.
        """
        universe = await self._universe.current() or Universe()
        number, groups = await self._correlations.current_groups()
        fact = UniverseUpdated(
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
        missed = [one for one in accounts if not await self._messenger.signal_account(one, [fact])]
        if missed:
            raise AccountsNotRunningError(f"not running: {', '.join(missed)}")
        return RulesSignalled(len(accounts))

    async def _facts(self, instrument: Instrument, quote: PairQuote | None) -> PairFacts:
        days = await self._days(instrument.symbol)
        volume = await self._daily_volume(instrument.symbol, days[-VOLUME_DAYS:])
        if volume is None and quote is not None:
            volume = quote.daily_volume
        spread = None if quote is None else quote.spread_share
        return PairFacts(instrument, volume, len(days), spread)

    async def _universe_rules(self) -> UniverseRules:
        """Return the rules as the platform has them, or as a market of our own is judged by."""
        rules = (await self._rules()).universe
        return rules_of_own_market(rules) if self._own_market else rules

    async def _daily_volume(self, symbol: str, days: list[Candle]) -> Decimal | None:
        """Return USD traded per day, None where nothing is known.

        The first day of a market of our own is cut short: its hours tell what a day comes to.
        """
        parts, bars = 1, days
        if self._own_market:
            parts, bars = HOURS_OF_DAY, await self._pairs.history(symbol, HOUR_MINUTES)
        if not bars:
            return None
        return sum((bar.volume * bar.close for bar in bars), ZERO) / len(bars) * parts

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

    async def _install(
        self, facts: list[PairFacts], rules: UniverseRules, boundary: str
    ) -> UniverseReviewed:
        """Begin with what passes the rules; where nothing does, say why and let a review try again.

        What the rules say of every pair is kept as a proposal, which people read.
        """
        first, said = first_universe(facts, rules, await self._universe.sanctioned())
        if not first.pairs:
            said = replace(said, based_on=0)
            number = await self._universe.save_proposal(said, self._clock())
            log.warning("no pair passes the rules of the universe", run=boundary, listed=len(facts))
            return UniverseReviewed(0, False, number, ())  # noqa: FBT003
        joins = tuple(sorted(first.pairs))
        reason = FIRST_REASON.format(passed=len(joins), listed=len(facts))
        by = UniverseAuthorship(
            "aether",
            INSTALLATION,
            f"{reason}; {OWN_MARKET}" if self._own_market else reason,
            self._clock(),
            joins=joins,
        )
        installed = await self._universe.install(first, by)
        number = await self._universe.save_proposal(said, self._clock())
        log.info("universe installed", pairs=joins, refused=len(facts) - len(joins))
        return UniverseReviewed(1, installed, number, joins)
