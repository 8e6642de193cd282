"""An account and the truth beside it: what its decisions really do to cash and coins.

Everything that an account commands is carried out at once at the prices of that moment, with fees,
and told back. What the account believes is never read here to say what is true.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.account.decisions import AccountDecision, decide
from models.trading.account.facts import (
    AccountFact,
    CloseTrades,
    EnterTrade,
    TradeProgressed,
    WithdrawEntries,
)
from models.trading.account.hedge.facts import SellParts
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.market import MarketSnapshot
from models.trading.orders import OrderType
from models.trading.trade.state import TradePhase, TradePlan, TradeSummary
from tests.models.trading.trading_builders import MEASURED, START
from tests.support.books import a_book

ZERO, ONE = Decimal(0), Decimal(1)
TAKER = Decimal("0.004")
MARGIN = Decimal("0.01")
"""How far above its price a market order is executed at worst."""


@dataclass
class Holding:
    """A trade as it really stands."""

    plan: TradePlan
    summary: TradeSummary
    price: Decimal

    @property
    def rest(self) -> Decimal:
        """Return what its entry may still buy."""
        bought = self.summary.bought
        return self.plan.entry.quantity - bought if self.summary.entry_open else ZERO

    @property
    def promised(self) -> Decimal:
        """Return USD that its entry may still take, at the worst price and with the fee."""
        limit = self.plan.entry.limit_price
        worst = limit if limit is not None else self.price * (1 + MARGIN)
        return self.rest * worst * (1 + TAKER)

    @property
    def held(self) -> Decimal:
        """Return the base units that it holds."""
        return self.summary.bought - self.summary.sold


@dataclass
class Broker:
    """Cash, coins and trades as they are, and growth measured without the account's help."""

    state: AccountState
    cash: Decimal
    prices: dict[str, Decimal]
    coins: dict[str, Decimal] = field(default_factory=dict)
    trades: dict[int, Holding] = field(default_factory=dict)
    entries: list[tuple[EnterTrade, AccountState]] = field(default_factory=list)
    told: list[AccountFact] = field(default_factory=list)
    growth: Decimal = ONE
    day_growth: Decimal = ONE
    lowest: Decimal = ONE
    gap: Decimal = ZERO
    seconds: int = 1

    @property
    def now(self) -> datetime:
        """Return market and protocol time, which are one here."""
        return START + timedelta(seconds=self.seconds)

    @property
    def equity(self) -> Decimal:
        """Return what everything is worth at the prices of now."""
        held = (q * self.prices[symbol] for symbol, q in self.coins.items())
        return self.cash + sum(held, ZERO)

    def exposure(self, symbol: str) -> Decimal:
        """Return USD held in a pair, and promised to its entries."""
        promised = (t.promised for t in self.trades.values() if t.summary.symbol == symbol)
        return self.coins.get(symbol, ZERO) * self.prices[symbol] + sum(promised, ZERO)

    def market(self, symbol: str) -> MarketSnapshot:
        """Return what is seen of a pair: no spread, so that marks and prices are one."""
        price = self.prices[symbol]
        book = a_book(price, price)
        figures = MEASURED | {"measured_at": self.now, "book": book, "book_at": self.now}
        return MarketSnapshot(symbol, price, price, price, self.now, **figures)

    # --- time and money ------------------------------------------------------------------------

    def measure(self, flow: Decimal = ZERO, before: Decimal | None = None) -> None:
        """Chain what has happened since equity was ``before`` onto the growth, without the flow."""
        earlier = self._last if before is None else before
        if earlier >= 1:
            step = (self.equity - flow) / earlier
            self.growth *= step
            self.lowest = min(self.lowest, self.growth)
        self._last = self.equity

    _last: Decimal = ZERO
    _depth: int = 0

    @contextmanager
    def one_gap(self) -> Iterator[None]:
        """Count what is lost in a block as one gap: a move, and the exits that it brings about."""
        before, self._depth = self.growth, self._depth + 1
        yield
        self._depth -= 1
        if self._depth == 0 and before > 0:
            self.gap = max(self.gap, 1 - self.growth / before)

    def begin_day(self) -> None:
        """Measure losses from here."""
        self.day_growth = self.lowest = self.growth
        self.gap = ZERO

    @property
    def lost(self) -> Decimal:
        """Return the largest share lost since the day began."""
        return 1 - self.lowest / self.day_growth

    # --- telling and carrying out ----------------------------------------------------------------

    def tell(self, fact: AccountFact) -> Answer | None:
        """Tell the account a fact, carry out what it commands, and tell it what came of that."""
        self.told.append(fact)
        decision = decide(self.state, fact)
        self.state = decision.state
        with self.one_gap():
            self._carry_out(decision)
        return decision.answer

    def _carry_out(self, decision: AccountDecision) -> None:
        for command in decision.commands:
            match command:
                case EnterTrade(plan):
                    summary = self.state.trades[plan.number]
                    price = self.prices[summary.symbol]
                    self.trades[plan.number] = Holding(plan, summary, price)
                    self.entries.append((command, self.state))
                case CloseTrades(trades):
                    # One that is sold may bring the next level about, and with it the others' end.
                    for trade in self._still_there(trades):
                        self.sell(trade.summary.number, trade.held, over=True)
                case WithdrawEntries(trades):
                    for trade in self._still_there(trades):
                        self._withdraw(trade.summary.number)
                case SellParts(targets):
                    for trade in self._still_there(targets):
                        number = trade.summary.number
                        self.sell(number, targets[number] - trade.summary.sold, hedge=True)

    def _still_there(self, numbers: Iterable[int]) -> Iterator[Holding]:
        return (self.trades[number] for number in numbers if number in self.trades)

    def fill(self, number: int, share: Decimal, slip: Decimal) -> None:
        """Execute a share of what an entry still wants; ``slip`` from none to all of the margin."""
        trade = self.trades[number]
        limit = trade.plan.entry.order_type is OrderType.LIMIT
        price = trade.plan.entry.limit_price if limit else trade.price * (1 + MARGIN * slip)
        assert price is not None
        quantity = trade.rest * share
        cost = quantity * price * (1 + TAKER)
        with self.one_gap():
            self._bought(trade, quantity, cost)

    def _bought(self, trade: Holding, quantity: Decimal, cost: Decimal) -> None:
        self._move(trade.summary.symbol, quantity, -cost)
        rest = trade.rest - quantity
        whole = trade.summary.reserved_cash / trade.rest if trade.rest else ZERO
        trade.summary = replace(
            trade.summary,
            phase=TradePhase.OPEN if rest == 0 else trade.summary.phase,
            bought=trade.summary.bought + quantity,
            cash_flow=trade.summary.cash_flow - cost,
            reserved_cash=rest * whole,
            entry_open=rest > 0,
        )
        self._told(trade.summary.number)

    def sell(
        self, number: int, quantity: Decimal, *, over: bool = False, hedge: bool = False
    ) -> None:
        """Sell at the price of now; ``over`` ends the trade and what its entry still wants."""
        with self.one_gap():
            self._sold(self.trades[number], quantity, over=over, hedge=hedge)

    def _sold(self, trade: Holding, quantity: Decimal, *, over: bool, hedge: bool) -> None:
        proceeds = quantity * self.prices[trade.summary.symbol] * (1 - TAKER)
        self._move(trade.summary.symbol, -quantity, proceeds)
        trade.summary = replace(
            trade.summary,
            sold=trade.summary.sold + quantity,
            cash_flow=trade.summary.cash_flow + proceeds,
        )
        if hedge:
            moved = trade.summary.hedge_turnover + proceeds / (1 - TAKER)
            trade.summary = replace(
                trade.summary,
                hedge_sold=trade.summary.hedge_sold + quantity,
                hedge_turnover=moved,
                hedge_flow=trade.summary.hedge_flow + proceeds,
            )
        self._told(trade.summary.number, over=over)

    def _withdraw(self, number: int) -> None:
        trade = self.trades[number]
        trade.summary = replace(
            trade.summary, entry_open=False, reserved_cash=ZERO, phase=TradePhase.OPEN
        )
        self._told(number, over=trade.summary.bought == 0)

    def _told(self, number: int, *, over: bool = False) -> None:
        summary = self.trades[number].summary
        if over:
            summary = replace(
                summary, phase=TradePhase.SETTLED, entry_open=False, reserved_cash=ZERO
            )
            del self.trades[number]
        self.tell(TradeProgressed(summary, closed=over, at=self.now))

    def _move(self, symbol: str, quantity: Decimal, cash: Decimal) -> None:
        self.cash += cash
        self.coins[symbol] = self.coins.get(symbol, ZERO) + quantity
        self.measure()
