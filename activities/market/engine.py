"""What the market worker does with each event: bars to ideas, prices to crossings, snapshots.

It holds no connection of its own: the feed, the record and the messenger are ports.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from activities.market.delivery import Delivery, Message
from activities.market.proposals import Champion, Proposals
from activities.market.strategy_runner import StrategyRunner
from activities.market.symbol_state import SymbolState
from activities.ports.journal import OneSidedBook
from activities.ports.market import (
    BarClosed,
    BestPrices,
    FeedStatus,
    MarketEvent,
    MarketRecord,
    PairChanged,
    Tick,
)
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.trade.facts import Direction, PriceCrossed, PriceWatch
from models.trading.watches.prices import WatchIndex
from models.trading.watches.times import TimerIndex

log = structlog.get_logger(__name__)

PRICE_AGE_MAXIMUM = timedelta(hours=1)
"""In market time, where bars are short; longer bars are recorded and printed more rarely."""
UNHEALTHY_SECONDS = 30.0
"""How long a broken feed's last price still marks equity: most are whole again in a second."""


class MarketEngine:
    """Turn market events into facts for accounts and trades, each once."""

    def __init__(
        self,
        record: MarketRecord,
        delivery: Delivery,
        strategies: StrategyRunner,
        *,
        evaluate_at_fences: bool = False,
        price_age_maximum: timedelta = PRICE_AGE_MAXIMUM,
        champion: Champion | None = None,
    ) -> None:
        """Prepare an engine.

        Args:
            record: candles, snapshots and watches.
            delivery: carries facts to accounts and trades.
            strategies: what proposes trades on bar close, without any state of before.
            evaluate_at_fences: judge closed bars only when their whole step has been seen, so
                that the order in which a step's frames arrive makes no difference (lockstep).
            price_age_maximum: market time after which a price marks equity no more.
            champion: judges the ideas of its primary strategy; what it takes are ideas of its own.
        """
        self._record = record
        self._delivery = delivery
        self._strategies = strategies
        self._reported: dict[tuple[str, int], set[str]] = {}
        self._since: dict[tuple[str, int], dict[str, datetime | None]] = {}
        self.symbols: dict[str, SymbolState] = {}
        self.moments = TimerIndex()
        self.market_time: datetime | None = None
        self.messages_sent = 0
        self._evaluate_at_fences = evaluate_at_fences
        self._undecided: set[str] = set()
        self._unsaved: list[Candle] = []
        self._unhealthy_since: dict[str, float] = {}
        self._price_age_maximum = price_age_maximum
        self.proposals = Proposals(
            record, self._send, self._seen, champion, inline=evaluate_at_fences
        )

    @property
    def longer_intervals(self) -> tuple[int, ...]:
        """Return the lengths of bars, in minutes, whose past strategies ask for at a start."""
        return self._strategies.loaded_intervals

    async def start(
        self,
        instruments: dict[str, Instrument],
        history: dict[str, list[Candle]],
        longer: Sequence[list[Candle]] = (),
    ) -> None:
        """Take up the universe with its recent bars and every watch that is still active.

        ``longer`` are recent bars of the lengths that strategies ask for by themselves.
        """
        for bars in longer:
            self._strategies.load_longer(bars)
        for symbol, instrument in instruments.items():
            state = SymbolState(instrument)
            state.bars.extend(history.get(symbol, ()))
            self._strategies.load(history.get(symbol, ()))
            self.symbols[symbol] = state
        await self.reload_watches()

    async def reload_watches(self) -> None:
        """Index exactly the watches that the record holds, then check them all."""
        grouped: dict[tuple[str, int], list[PriceWatch]] = {}
        for watch in await self._record.active_watches():
            grouped.setdefault((watch.account, watch.trade), []).append(watch)
        # Nothing waits between here and the last index: no price may meet half of the watches.
        self._reported = {key: ids for key, ids in self._reported.items() if key in grouped}
        for state in self.symbols.values():
            state.watches = WatchIndex()
        self.moments = TimerIndex()
        for (account, trade), watches in grouped.items():
            self._index(account, trade, tuple(watches))
        await self._check(set(self.symbols))

    async def set_watches(self, account: str, trade: int, watches: tuple[PriceWatch, ...]) -> None:
        """Replace a trade's watches and check them against the price as it stands."""
        self._index(account, trade, watches)
        await self._check({watch.symbol for watch in watches})

    def _index(self, account: str, trade: int, watches: tuple[PriceWatch, ...]) -> None:
        # What was reported is no longer watched, though the record may not have learned it yet.
        reported = self._reported.pop((account, trade), set()) & {w.watch_id for w in watches}
        if reported:
            self._reported[account, trade] = reported
        waiting = [watch for watch in watches if watch.watch_id not in reported]
        for symbol, state in self.symbols.items():
            here = tuple(w for w in waiting if w.symbol == symbol and w.due_at is None)
            state.watches.replace(account, trade, here)
        self.moments.replace(account, trade, tuple(waiting))
        # Market time since when each is watched; what was there at the start is older than that.
        known = self._since.pop((account, trade), {})
        since = {w.watch_id: known.get(w.watch_id, self.market_time) for w in waiting}
        if since:
            self._since[account, trade] = since

    async def _check(self, symbols: set[str]) -> None:
        for symbol in sorted(symbols & self.symbols.keys()):
            state = self.symbols[symbol]
            if state.healthy and state.snapshot is not None:
                await self._cross(state, state.snapshot.last, state.snapshot.observed_at)
        await self._ring()

    async def on_event(self, event: MarketEvent) -> None:
        """Deal with one market event; messages that follow from it are handed to the delivery."""
        match event:
            case Tick():
                await self._on_tick(event)
            case BestPrices():
                await self._on_prices(event)
            case OneSidedBook():
                self._on_one_sided(event)
            case BarClosed():
                await self._on_bar(event.candle)
            case FeedStatus():
                self._on_status(event)
            case PairChanged(instrument) if instrument.symbol in self.symbols:
                # What is proposed from now on lies on the steps of now.
                self.symbols[instrument.symbol].instrument = instrument
            case _:
                pass

    def take_changed_snapshots(self) -> list[MarketSnapshot]:
        """Return the snapshots that changed since the last call."""
        changed = []
        for state in self.symbols.values():
            seen = state.seen() if state.changed else None
            if seen is not None:
                changed.append(seen)
                state.changed = False
        return changed

    def keep_for_later(self, snapshots: Sequence[MarketSnapshot]) -> None:
        """Take back snapshots that could not be written: they are due with the next ones."""
        for snapshot in snapshots:
            self.symbols[snapshot.symbol].changed = True

    def prices(self) -> dict[str, Decimal]:
        """Return the best bid by symbol, what holdings would bring; one too old is not known.

        Too old is what others have left behind in market time, and what a feed that is broken has
        not confirmed for a while.
        """
        return {
            symbol: state.snapshot.bid
            for symbol, state in self.symbols.items()
            if state.snapshot is not None and self._is_recent(symbol, state)
        }

    def _is_recent(self, symbol: str, state: SymbolState) -> bool:
        assert state.snapshot is not None
        now = self.market_time
        if now is not None and now - state.snapshot.observed_at > self._price_age_maximum:
            return False
        if state.healthy:
            self._unhealthy_since.pop(symbol, None)
            return True
        since = self._unhealthy_since.setdefault(symbol, time.monotonic())
        return time.monotonic() - since <= UNHEALTHY_SECONDS

    async def signal_accounts(self, facts: Mapping[str, object]) -> None:
        """Hand facts for accounts, by name, to the delivery."""
        await self._send([Message(account, None, fact) for account, fact in sorted(facts.items())])

    async def _on_tick(self, tick: Tick) -> None:
        state = self.symbols.get(tick.symbol)
        if state is None:
            return
        if tick.trade_id < state.newest_trade:
            await self._on_missed_tick(state, tick)
            return
        state.newest_trade = tick.trade_id
        self._advance(tick.exchange_time)
        state.has_print = True
        if tick.side:
            state.flow.add(tick.quantity, is_buy=tick.side == "buy")
        state.refresh(tick.exchange_time, last=tick.price)
        await self._cross(state, tick.price, tick.exchange_time)
        await self._ring()

    async def _on_missed_tick(self, state: SymbolState, tick: Tick) -> None:
        """Take a trade that was missed and asked for: it crosses what was watched at its time.

        It is not the last price any more.
        """
        at = tick.exchange_time

        def stood(watch: PriceWatch) -> bool:
            since = self._since.get((watch.account, watch.trade), {}).get(watch.watch_id)
            return since is None or since <= at

        crossed = state.watches.crossed_then(tick.price, stood)
        if crossed:
            await self._send([self._crossing(watch, tick.price, at) for watch in crossed])

    async def _on_prices(self, prices: BestPrices) -> None:
        state = self.symbols.get(prices.symbol)
        if state is None:
            return
        self._advance(prices.exchange_time)
        state.refresh(
            prices.exchange_time,
            bid=prices.bid,
            ask=prices.ask,
            depth_quantity=prices.depth_quantity,
        )
        state.book, state.book_at, state.has_book = prices.book, prices.exchange_time, True
        if state.has_print and len(state.watches):
            # A print that the book had not confirmed yet may be confirmed by now.
            assert state.snapshot is not None
            await self._cross(state, state.snapshot.last, prices.exchange_time)

    def _on_one_sided(self, event: OneSidedBook) -> None:
        """Keep the last prices, and let whoever decides see that the book has lost a side."""
        state = self.symbols.get(event.symbol)
        if state is not None and state.snapshot is not None:
            self._advance(event.exchange_time)
            state.book, state.book_at, state.has_book = event.book, event.exchange_time, False
            state.changed = True

    def _on_status(self, status: FeedStatus) -> None:
        state = self.symbols.get(status.symbol)
        if state is None:
            return
        if state.healthy != status.healthy:
            log.warning(
                "market feed changed",
                symbol=status.symbol,
                healthy=status.healthy,
                reason=status.reason,
            )
        state.healthy, state.reason = status.healthy, status.reason
        state.changed = state.snapshot is not None

    async def _on_bar(self, candle: Candle) -> None:
        state = self.symbols.get(candle.symbol)
        if state is None or (state.bars and candle.start <= state.bars[-1].start):
            return
        state.bars.append(candle)
        self._strategies.take(candle)
        if self._evaluate_at_fences:
            self._undecided.add(candle.symbol)
        else:
            await self._deliberate(state)
        self._unsaved.append(candle)
        try:
            await self.save_bars()
        except OSError:
            # A record that is away must not end the feed: they are saved with the next ones.
            log.warning("bars wait for the record", bars=len(self._unsaved), exc_info=True)

    async def save_bars(self) -> None:
        """Write the bars that are not in the record yet; OSError when it does not answer."""
        if self._unsaved:
            waiting, self._unsaved = self._unsaved, []
            try:
                await self._record.save_candles(waiting)
            except OSError:
                self._unsaved = [*waiting, *self._unsaved]
                raise

    async def on_fence(self) -> None:
        """Judge the bars that closed since the last fence."""
        undecided, self._undecided = sorted(self._undecided), set()
        for symbol in undecided:
            await self._deliberate(self.symbols[symbol])

    async def _deliberate(self, state: SymbolState) -> None:
        if state.snapshot is None:
            return
        state.measure()
        if state.healthy:
            await self._propose(state)

    async def _propose(self, state: SymbolState) -> None:
        assert state.snapshot is not None
        ideas = self._strategies.propose(state.snapshot, state.instrument)
        await self.proposals.take(ideas, state.snapshot.observed_at)

    def _seen(self, symbol: str) -> MarketSnapshot | None:
        return self.symbols[symbol].seen()

    async def _cross(self, state: SymbolState, price: Decimal, at: datetime) -> None:
        """Tell of the watches that a print has reached and the book confirms, or the book alone.

        One bad print is not a price: upwards it counts as far as the best ask, downwards as far as
        the best bid. What the book pays counts without a print, which may have been lost. Where no
        book is known a print counts as it is: an exit is not held up by that.
        """
        high = low = price
        if state.has_book and state.snapshot is not None:
            bid, ask = state.snapshot.bid, state.snapshot.ask
            high, low = max(min(price, ask), bid), min(max(price, bid), ask)
        crossed = state.watches.crossed(high, low)
        if not crossed:
            return
        rises = Direction.RISES_TO
        await self._send(
            [self._crossing(w, high if w.direction is rises else low, at) for w in crossed]
        )

    async def _ring(self) -> None:
        """Tell of every moment that has come, with the price of its pair as it stands."""
        now = self.market_time
        if now is None or not (due := self.moments.reached(now)):
            return
        messages = []
        for watch in due:
            state = self.symbols.get(watch.symbol)
            known = state.snapshot if state is not None else None
            bid = known.bid if known and state and state.has_book else None
            last = known.last if known else watch.level
            messages.append(self._crossing(watch, last, now, bid))
        await self._send(messages)

    def _crossing(
        self, watch: PriceWatch, price: Decimal, at: datetime, bid: Decimal | None = None
    ) -> Message:
        self._reported.setdefault((watch.account, watch.trade), set()).add(watch.watch_id)
        fact = PriceCrossed(watch.watch_id, watch.kind, price, at, bid)
        return Message(watch.account, watch.trade, fact, watch)

    async def _send(self, messages: list[Message]) -> None:
        self.messages_sent += len(messages)
        await self._delivery.deliver(messages)

    def _advance(self, at: datetime) -> None:
        if self.market_time is None or at > self.market_time:
            self.market_time = at
