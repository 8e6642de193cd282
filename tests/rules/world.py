"""One account, its trades and its market, driven by the real rules: `decide`, and nothing else.

Time is that of the candles. A command is carried out at once and what it brings about is told at
once, in order; so the same candles give the same decisions, whenever and wherever it runs.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from activities.market.strategy_runner import StrategyRunner
from activities.market.symbol_state import SymbolState
from models.trading.account import decisions as account_decisions
from models.trading.account.capital.facts import DayBoundaryPassed, PricesMarked
from models.trading.account.equity import equity_now
from models.trading.account.facts import (
    AccountFact,
    CloseTrades,
    EnterTrade,
    ExchangeReady,
    IdeaArrived,
    RecordIdea,
    TradeProgressed,
    UniverseUpdated,
    WithdrawEntries,
)
from models.trading.account.hedge.facts import (
    HedgeReviewRequested,
    ReviewHedge,
    SellParts,
    WatchHedge,
)
from models.trading.account.rules import adopt
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState, HaltKind
from models.trading.market import Candle
from models.trading.orders import OrderStatus
from models.trading.risk.limits import FeeRates
from models.trading.strategies.trend import TrendStrategy
from models.trading.trade import decisions as trade_decisions
from models.trading.trade.facts import (
    HEDGE_WATCH,
    CloseRequested,
    Direction,
    EntryCancelRequested,
    PartialExitRequested,
    PlaceOrder,
    PriceCrossed,
    PriceWatch,
    ReportToAccount,
    ReviewDue,
    SetWatches,
    TradeFact,
)
from models.trading.trade.figures import summarise
from models.trading.trade.state import TradePhase, TradeState
from models.trading.trading_day import day_of, next_boundary
from tests.rules.books import with_book
from tests.rules.candles import BAR, PAIRS
from tests.rules.desk import ACCOUNT, Desk, ExchangeCommand, Told
from tests.rules.seen import CASH, Seen

ZERO = Decimal(0)
SETTINGS = '{"hedge.mode": "automatic"}'
"""The defaults of the release, with the hedge at work."""
TELLING_SHARE = Decimal("0.001")
BARS_PER_DAY = Decimal(96)
INSTALLATION = "00000000-0000-4000-8000-000000000017"
PATH = ("open", "low", "high", "close")
"""Worst first: whatever is long meets the bar's low before its high."""


TOLD_EVERY = timedelta(hours=4)
"""How often what reconciliations tell is told; fees are outdated after six hours."""


class World:
    """The account and everything that it is told."""

    def __init__(self, start: datetime) -> None:
        self.desk, self.seen, self.now = Desk(CASH, start), Seen(), start
        strategy = TrendStrategy()
        self.runner = StrategyRunner([strategy], INSTALLATION)
        state = AccountState(ACCOUNT, INSTALLATION, strategies=(strategy.name,))
        self.account = adopt(state, SettingsInForce(1, SETTINGS))
        self.trades: dict[int, TradeState] = {}
        self.watches: dict[int, tuple[PriceWatch, ...]] = {}
        self.markets = {pair.symbol: SymbolState(pair.instrument, healthy=True) for pair in PAIRS}
        self._queue: deque[Told] = deque()
        self._reviews = 0
        self._told_equity = ZERO
        self._last_measured = start
        self._started = False

    # --- the market ----------------------------------------------------------------------------

    def play(self, at: datetime, bars: dict[str, Candle]) -> None:
        """Walk every pair through its bar, side by side, then judge the closed bars."""
        for number, point in enumerate(PATH):
            moment = at + BAR * number / len(PATH)
            for symbol, bar in sorted(bars.items()):
                target = getattr(bar, point)
                if number:
                    self._walk_to(symbol, target, bar.volume / 4, moment)
                else:  # what lies between two bars was not traded through
                    self._trade_at(symbol, target, bar.volume / 4, moment)
        self._close_bars(at + BAR, bars)

    def _walk_to(self, symbol: str, target: Decimal, volume: Decimal, at: datetime) -> None:
        """Go to a price, and through every level on the way that something waits for."""
        for _ in range(50):
            snapshot = self.markets[symbol].snapshot
            assert snapshot is not None
            level = self._next_level(symbol, snapshot.last, target)
            if level is None:
                break
            self._trade_at(symbol, level, volume, at)
        self._trade_at(symbol, target, volume, at)

    def _next_level(self, symbol: str, price: Decimal, target: Decimal) -> Decimal | None:
        rising = target > price
        wanted = Direction.RISES_TO if rising else Direction.FALLS_TO
        levels = [
            w.level
            for watches in self.watches.values()
            for w in watches
            if w.symbol == symbol and w.direction is wanted
        ]
        if not rising:
            levels += [
                stop.trigger_price
                for trade in self.trades.values()
                if trade.plan.instrument.symbol == symbol
                for stop in trade.live_stops
                if stop.trigger_price is not None
            ]
        if rising:
            return min((level for level in levels if price < level < target), default=None)
        return max((level for level in levels if target < level < price), default=None)

    def _trade_at(self, symbol: str, price: Decimal, volume: Decimal, at: datetime) -> None:
        self.now = max(self.now, at)
        pair = next(pair for pair in PAIRS if pair.symbol == symbol)
        half = price * pair.half_spread
        instrument = pair.instrument
        self.markets[symbol].refresh(
            self.now,
            last=price,
            bid=instrument.floor_price(price - half) - instrument.price_increment,
            ask=instrument.ceil_price(price + half) + instrument.price_increment,
            depth_quantity=volume * 4,
        )
        rests = any(t.plan.instrument.symbol == symbol for t in self.trades.values())
        self._queue += self.desk.move(symbol, price, volume, self.now, rests=rests)
        self._work()
        self._cross(symbol, price)

    def _cross(self, symbol: str, price: Decimal) -> None:
        for number, watches in list(self.watches.items()):
            for watch in watches:
                if self._is_crossed(watch, symbol, price):
                    self._fire(number, watch, price)

    def _is_crossed(self, watch: PriceWatch, symbol: str, price: Decimal) -> bool:
        if watch.due_at is not None:
            return watch.due_at <= self.now
        if watch.symbol != symbol:
            return False
        rises = watch.direction is Direction.RISES_TO
        return price >= watch.level if rises else price <= watch.level

    def _fire(self, number: int, watch: PriceWatch, price: Decimal) -> None:
        left = tuple(w for w in self.watches.get(number, ()) if w.watch_id != watch.watch_id)
        if len(left) == len(self.watches.get(number, ())):
            return
        self.watches[number] = left
        if number == HEDGE_WATCH:
            self._review_hedge(watch.kind.value)
        else:
            fact = PriceCrossed(watch.watch_id, watch.kind, price, self.now)
            self._queue.append((number, fact))
        self._work()

    def _close_bars(self, at: datetime, bars: dict[str, Candle]) -> None:
        self.now = at
        for symbol, bar in sorted(bars.items()):
            market = self.markets[symbol]
            market.bars.append(bar)
            market.measure()
        if not self._started:
            self._begin()
        elif at - self._told_last >= TOLD_EVERY:
            self._ready()
        self._mark()
        self._close_day()
        self._propose(bars)
        self._review_trades()
        self._measure()

    # --- the account's own times ---------------------------------------------------------------

    def _begin(self) -> None:
        """Let the exchange answer, tell the rules of the market, and start the hedge."""
        self._started = True
        self._ready()
        self._review_hedge("start")

    def _tell_rules(self) -> None:
        """Tell universe and groups as the platform does: reviewed and computed just now."""
        symbols = tuple(pair.symbol for pair in PAIRS)
        buckets = {name: "major" if name[:3] in ("BTC", "ETH") else "large" for name in symbols}
        groups = dict.fromkeys(symbols, "BTC/USD")
        reviewed = (None, self.now, self.now)
        self._tell(UniverseUpdated(1, symbols, buckets, 1, groups, self.now, *reviewed))

    def _ready(self) -> None:
        """Tell balances and fees, as each reconciliation does."""
        self._told_last = self.now
        venue = self.desk.venue
        balances = {name: one.total for name, one in venue.balances(ACCOUNT).items()}
        instruments = {pair.symbol: pair.instrument for pair in PAIRS}
        fees = {}
        for symbol in instruments:
            taker, maker = venue.fees(ACCOUNT, symbol)
            fees[symbol] = FeeRates(maker.fee / 100, taker.fee / 100)
        ready = ExchangeReady(
            balances, instruments, fees, self.now, orders_consistent=True, flows=()
        )
        self._tell(ready)
        self._tell_rules()

    def _prices(self) -> dict[str, Decimal]:
        return {s: m.snapshot.mid for s, m in self.markets.items() if m.snapshot is not None}

    def _mark(self) -> None:
        """Tell prices as the market worker does: when equity has moved by a thousandth."""
        prices = self._prices()
        equity = equity_now(replace(self.account, prices=prices)) or ZERO
        if abs(equity - self._told_equity) > TELLING_SHARE * self._told_equity:
            self._told_equity = equity
            self._tell(PricesMarked(prices, self.now, self.now))

    def _close_day(self) -> None:
        drawdown = self.account.drawdown
        if drawdown is None:
            return
        boundary = next_boundary(self.account.day, drawdown.opened_at)
        if boundary.at <= self.now:
            self._ready()
            self._tell(DayBoundaryPassed(boundary, self._prices(), {}, self.now))
            assert self.account.drawdown is not None
            assert self.account.drawdown.day == day_of(self.account.day, self.now)

    def _propose(self, bars: dict[str, Candle]) -> None:
        for symbol in sorted(bars):
            market = self.markets[symbol]
            assert market.snapshot is not None
            self.runner.take(bars[symbol])
            for idea in self.runner.propose(market.snapshot, market.instrument):
                self.seen.ideas += 1
                self._tell(IdeaArrived(idea, with_book(market.snapshot, self.now), self.now))

    def _review_trades(self) -> None:
        """Let time pass for the trades that wait for something."""
        for number, trade in list(self.trades.items()):
            waits = trade.exit_wanted or trade.part_paused or not trade.is_covered
            if waits and number in self.trades:
                self._queue.append((number, ReviewDue(self.now)))
        self._work()

    def _review_hedge(self, cause: str) -> None:
        self._reviews += 1
        markets = [m.snapshot for m in self.markets.values() if m.snapshot is not None]
        scale = BARS_PER_DAY.sqrt()
        daily = {m.symbol: m.volatility * scale for m in markets if m.volatility is not None}
        mean = sum(daily.values(), ZERO) / len(daily) if daily else None
        fact = HedgeReviewRequested(
            request_id=f"hedge/{self._reviews}",
            cause=cause,
            market=tuple(markets),
            volatilities=daily,
            market_volatility=mean,
            market_at=self.now,
            at=self.now,
        )
        before = self.account.hedge_target
        self._tell(fact)
        self.seen.hedge_targets += self.account.hedge_target != before

    # --- telling and carrying out ----------------------------------------------------------------

    def _tell(self, fact: AccountFact) -> None:
        before = {(halt.kind, halt.since) for halt in self.account.halts}
        decision = account_decisions.decide(self.account, fact)
        self.account = decision.state
        for halt in self.account.halts:
            if (halt.kind, halt.since) not in before:
                self.seen.halts[halt.kind.value] += 1
                self.seen.first_halts.setdefault(halt.kind.value, self.now)
        for command in decision.commands:
            self._obey(command)
        self._work()

    def _obey(self, command: Any) -> None:
        match command:
            case EnterTrade():
                self._enter(command)
            case ReviewHedge(cause):
                self._review_hedge(cause)
            case WatchHedge(watches):
                self.watches[HEDGE_WATCH] = watches
            case RecordIdea(_, verdict, None):
                self.seen.refused.update({check.code for check in verdict.failures})
            case _:
                self._queue += self._for_trades(command)

    def _for_trades(self, command: Any) -> list[Told]:
        """Return what trades are told by a command; what is only written down tells nobody."""
        told: list[Told] = []
        match command:
            case CloseTrades(trades, reason, by):
                for number in trades:
                    symbol = self.account.trades[number].symbol
                    price = self.account.prices.get(symbol)
                    told.append((number, CloseRequested(reason, by, self.now, price)))
            case WithdrawEntries(trades, _, reason):
                told += [(n, EntryCancelRequested(reason, self.now)) for n in trades]
            case SellParts(targets):
                for number, target in sorted(targets.items()):
                    price = self.account.prices.get(self.account.trades[number].symbol)
                    told.append((number, PartialExitRequested(target, "hedge", self.now, price)))
        return told

    def _enter(self, command: EnterTrade) -> None:
        self.seen.entries.append(command)
        plan = command.plan
        begun = trade_decisions.begin(plan)
        self.trades[plan.number] = begun.state
        self._follow(plan.number, begun.commands)
        symbol = plan.instrument.symbol
        self._queue += self.desk.carry_out(plan.number, symbol, PlaceOrder(plan.entry))

    def _work(self) -> None:
        while self._queue:
            number, fact = self._queue.popleft()
            self._tell_trade(number, fact)

    def _tell_trade(self, number: int, fact: TradeFact) -> None:
        trade = self.trades.get(number)
        if trade is None:
            return
        decision = trade_decisions.decide(trade, fact)
        self.trades[number] = decision.state
        self._follow(number, decision.commands)

    def _follow(self, number: int, commands: tuple[Any, ...]) -> None:
        for command in commands:
            trade = self.trades[number]
            match command:
                case SetWatches(watches):
                    self.watches[number] = watches
                case ReportToAccount(closed=closed):
                    self._report(number, trade, closed=closed)
                    if closed:
                        return
                case _ if isinstance(command, ExchangeCommand):
                    symbol = trade.plan.instrument.symbol
                    self._queue += self.desk.carry_out(number, symbol, command)
                case _:
                    pass

    def _report(self, number: int, trade: TradeState, *, closed: bool) -> None:
        if closed:
            assert trade.phase is TradePhase.SETTLED
            assert not any(o.status is OrderStatus.OPEN for o in trade.orders)
            self.seen.settled.append(trade)
            del self.trades[number]
            self.watches.pop(number, None)
        self._tell(TradeProgressed(summarise(trade), closed=closed, at=self.now))

    # --- what is measured ------------------------------------------------------------------------

    def _measure(self) -> None:
        equity = equity_now(self.account)
        halted = any(halt.kind is HaltKind.UNMEASURED for halt in self.account.halts)
        if equity is None or halted or self.account.drawdown is None:
            gap = self.now - self._last_measured
            self.seen.longest_unmeasured = max(self.seen.longest_unmeasured, gap)
            self.seen.unmeasured += BAR
            return
        self._last_measured = self.now
        self.seen.lowest_equity = min(self.seen.lowest_equity, equity)
        self.seen.highest_equity = max(self.seen.highest_equity, equity)
