"""A throw-away workflow that runs the domain inside the whole sandbox, nothing passed through."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from temporalio import workflow

from models.trading.account import decisions as account_decisions
from models.trading.account.entries.book_costs import BookLevel, BookView
from models.trading.account.facts import EnterTrade, ExchangeReady, OpenRequested, UniverseUpdated
from models.trading.account.state import AccountState
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.orders import Fill, OrderType, Side
from models.trading.risk.limits import FeeRates
from models.trading.trade import decisions as trade_decisions
from models.trading.trade.facts import (
    CloseRequested,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    PlaceOrder,
    ReviewDue,
)

SYMBOL = "BTC/USD"


@workflow.defn
class PurityWorkflow:
    """Every clock, random number or environment the domain touched would fail this workflow."""

    @workflow.run
    async def run(self) -> str:
        now = workflow.now()
        instrument = Instrument(
            SYMBOL, "BTC", "USD", "XXBTZUSD", 1, Decimal("0.1"), 8, Decimal("0.0001"), 5, Decimal(1)
        )
        fees = {SYMBOL: FeeRates(Decimal("0.0025"), Decimal("0.004"))}
        state = AccountState("company", "8d7a5c3e-0000-4000-8000-000000000001")
        balances = {"USD": Decimal(100000)}
        ready = ExchangeReady(balances, {SYMBOL: instrument}, fees, now)
        state = account_decisions.decide(state, ready).state
        told = UniverseUpdated(1, (SYMBOL,), {}, 1, {}, now, None, now, now)
        state = account_decisions.decide(state, told).state
        bid, ask = Decimal(49999), Decimal(50001)
        book = BookView((BookLevel(bid, Decimal(9)),), (BookLevel(ask, Decimal(9)),))
        market = MarketSnapshot(
            SYMBOL, bid, ask, Decimal(50000), now, Decimal(50), Decimal("0.001"),
            measured_at=now, book=book, book_at=now,
        )  # fmt: skip
        request = OpenRequested(
            "r", "me", SYMBOL, OrderType.MARKET, Decimal(47000), market, now, Decimal("0.01")
        )
        decision = account_decisions.decide(state, request)
        (entered,) = [c for c in decision.commands if isinstance(c, EnterTrade)]
        return self.live(entered, now)

    def live(self, entered: EnterTrade, now: object) -> str:
        plan = entered.plan
        at = workflow.now()
        trade = trade_decisions.begin(plan).state
        name = plan.entry.client_order_id
        fill = Fill(
            "T1", "O1", SYMBOL, Side.BUY, Decimal("0.01"), Decimal(50000), Decimal(500),
            Decimal(2), at,
        )  # fmt: skip
        facts = (
            OrderAcknowledged(name, "O1", at),
            FillReported(fill, name),
            ReviewDue(at + timedelta(seconds=1)),
            CloseRequested(ExitReason.REQUESTED, "me", at),
        )
        placed = 0
        for fact in facts:
            decision = trade_decisions.decide(trade, fact)
            trade = replace(decision.state)
            placed += sum(isinstance(c, PlaceOrder) for c in decision.commands)
        return f"{trade.phase.value}/{placed}"
