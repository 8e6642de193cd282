"""The platform without its wires: account and trades decide, the exchange answers at once."""

from collections import deque
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from models.learning.backtest.bar_exchange import BarExchange
from models.trading.account import decisions as account_decisions
from models.trading.account.facts import (
    AccountCommand,
    AccountFact,
    CloseTrades,
    EnterTrade,
    RaiseStops,
    RecordIdea,
    ReduceTrades,
    TradeProgressed,
    WithdrawEntries,
)
from models.trading.account.state import AccountState
from models.trading.ideas import Idea
from models.trading.orders import Leg
from models.trading.trade import decisions as trade_decisions
from models.trading.trade.facts import (
    AmendStop,
    CancelOrder,
    CloseRequested,
    EntryCancelRequested,
    ExitPosition,
    PartialExitRequested,
    PlaceOrder,
    ReportToAccount,
    SellPart,
    StopMoveRequested,
    TradeCommand,
    TradeFact,
)
from models.trading.trade.figures import summarise
from models.trading.trade.state import TradePlan, TradeState
from models.trading.verdicts import Verdict

ZERO = Decimal(0)


class Platform:
    """Have account and trades decide, and carry out what they command.

    Attributes:
        account: the account's state.
        trades: the open trades' states by number.
        entering: plans whose entries are to be sent at the next bar.
        wanted: what trades are to be told at the next bar's open.
        verdicts: what became of each idea: its checks, and the trade if it became one.
        proposed: entries that were decided.
        levels: what has to be met for something to happen to a trade, None: to be found out anew.
    """

    def __init__(self, account: AccountState, exchange: BarExchange) -> None:
        self.account = account
        self.exchange = exchange
        self.trades: dict[int, TradeState] = {}
        self.entering: list[TradePlan] = []
        self.wanted: list[tuple[int, TradeFact]] = []
        self.verdicts: list[tuple[Idea, Verdict, int | None]] = []
        self.proposed = 0
        self.levels: tuple[Decimal, Decimal, datetime] | None = None

    def book(self) -> None:
        """Write executions down, before a trade that made them is forgotten."""

    def signal_all(self, facts: list[TradeFact]) -> None:
        """Tell each trade what concerns its own orders."""
        for fact in facts:
            number = self._owner(fact)
            if number is not None:
                self.tell(number, fact)

    def _owner(self, fact: TradeFact) -> int | None:
        name = getattr(fact, "client_order_id", None)
        for number, trade in self.trades.items():
            if name is not None and trade.order(name) is not None:
                return number
        return None

    def tell(self, number: int, fact: TradeFact) -> None:
        """Have a trade decide, and carry out what it commands until nothing more follows."""
        self.levels = None
        facts: deque[TradeFact] = deque([fact])
        while facts and number in self.trades:
            decision = trade_decisions.decide(self.trades[number], facts.popleft())
            self.trades[number] = decision.state
            for command in decision.commands:
                facts.extend(self._carry_out(number, command))

    def _carry_out(self, number: int, command: TradeCommand) -> list[TradeFact]:
        exchange = self.exchange
        match command:
            case PlaceOrder(order):
                return exchange.place(order)
            case CancelOrder():
                return exchange.cancel(command)
            case AmendStop():
                return exchange.amend(command)
            case ExitPosition():
                return self._exit(command)
            case SellPart(amend, order):
                return [*exchange.amend(amend), *exchange.place(order)]
            case ReportToAccount(closed):
                self._report(number, closed=closed)
        return []

    def _exit(self, command: ExitPosition) -> list[TradeFact]:
        facts: list[TradeFact] = []
        for order_id in command.stop_order_ids:
            facts.extend(self.exchange.drop(order_id))
        sold = sum((self.exchange.filled(name) for name in command.stop_order_ids), ZERO)
        quantity = command.exit.quantity - (sold - command.stops_filled_known)
        facts.extend(self.exchange.place(replace(command.exit, quantity=quantity)))
        return facts

    def _report(self, number: int, *, closed: bool) -> None:
        trade = self.trades[number]
        if closed:
            self.book()
            del self.trades[number]
        self.signal_account(TradeProgressed(summarise(trade), closed, self.exchange.now))

    def signal_account(self, fact: AccountFact) -> None:
        """Have the account decide, and carry out what it commands."""
        decision = account_decisions.decide(self.account, fact)
        self.account = decision.state
        for command in decision.commands:
            self._obey(command)

    def _obey(self, command: AccountCommand) -> None:
        now = self.exchange.now
        match command:
            case EnterTrade(plan):
                self._begin(plan)
            case CloseTrades(trades, reason, by):
                self.wanted += [(n, CloseRequested(reason, by, now)) for n in trades]
            case ReduceTrades(targets, by):
                self.wanted += [
                    (n, PartialExitRequested(target, by, now, leg=Leg.PART))
                    for n, target in sorted(targets.items())
                ]
            case RaiseStops(trades, price, last, by):
                self.signal_all(self.exchange.trade(last, self.exchange.sold_at(last)))
                for number in trades:
                    self.tell(number, StopMoveRequested(price, None, by, now, last))
            case WithdrawEntries(trades, _, reason):
                for number in trades:
                    self.tell(number, EntryCancelRequested(reason, now))
            case RecordIdea(idea, verdict, trade):
                self.verdicts.append((idea, verdict, trade))

    def _begin(self, plan: TradePlan) -> None:
        self.proposed += 1
        self.levels = None
        decision = trade_decisions.begin(plan)
        self.trades[plan.number] = decision.state
        self.entering.append(plan)
        for command in decision.commands:
            self._carry_out(plan.number, command)
