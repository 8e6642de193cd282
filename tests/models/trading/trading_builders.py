"""Builders of trading values for the domain's tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from models.trading.account.entries.claims import Claim, Claimant
from models.trading.account.equity import equity_now
from models.trading.account.figures import FigureTimes
from models.trading.account.state import AccountState
from models.trading.identities import client_order_id, userref
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.orders import (
    ConditionalClose,
    Fill,
    Leg,
    OrderSpec,
    OrderType,
    Side,
    TimeInForce,
)
from models.trading.risk.drawdown import start as start_drawdown
from models.trading.risk.limits import FeeRates, ProtectionMode
from models.trading.strategies.evidence import (
    Evidence,
    EvidencePolicy,
    EvidenceSource,
    SourceSummary,
)
from models.trading.trade.state import TradePlan
from tests.support.books import a_book

INSTALLATION = "5b0f3f0e-7a53-4f55-9d0e-1f2c3d4e5f60"
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def an_instrument(symbol: str = "BTC/USD", **changes: object) -> Instrument:
    base, quote = symbol.split("/")
    values: dict[str, object] = {
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "rest_id": f"X{base}Z{quote}",
        "price_precision": 1,
        "price_increment": Decimal("0.1"),
        "quantity_precision": 8,
        "quantity_minimum": Decimal("0.00005"),
        "cost_precision": 5,
        "cost_minimum": Decimal("0.5"),
    }
    return Instrument(**{**values, **changes})  # type: ignore[arg-type]


def a_plan(
    *,
    quantity: str = "10",
    protection: ProtectionMode = ProtectionMode.SEPARATE,
    order_type: OrderType = OrderType.MARKET,
    stop: str = "95",
    take_profit: str | None = "110",
    trailing: str | None = "5",
    instrument: Instrument | None = None,
    force: TimeInForce = TimeInForce.GTC,
) -> TradePlan:
    instrument = instrument or an_instrument(
        quantity_precision=0, quantity_minimum=Decimal(1), cost_minimum=Decimal(1)
    )
    name = client_order_id(INSTALLATION, "company", 1, Leg.ENTRY, 1)
    attached = protection is ProtectionMode.ATTACHED
    entry = OrderSpec(
        account="company",
        trade=1,
        leg=Leg.ENTRY,
        client_order_id=name,
        userref=userref(name),
        symbol=instrument.symbol,
        side=Side.BUY,
        order_type=order_type,
        quantity=Decimal(quantity),
        limit_price=Decimal(101) if order_type is OrderType.LIMIT else None,
        time_in_force=force,
        close=ConditionalClose(OrderType.STOP_LOSS, Decimal(stop)) if attached else None,
    )
    return TradePlan(
        account="company",
        number=1,
        installation=INSTALLATION,
        instrument=instrument,
        protection=protection,
        entry=entry,
        stop_price=Decimal(stop),
        take_profit_price=Decimal(take_profit) if take_profit else None,
        trailing_distance=Decimal(trailing) if trailing else None,
        fees=FeeRates(Decimal("0.0025"), Decimal("0.004")),
        reference_price=Decimal(100),
        source="request/r-1",
        decided_at=START,
        requested_at=START,
    )


def a_fill(
    execution: str,
    order_id: str,
    side: Side,
    quantity: Decimal | str,
    price: Decimal | str = "100",
    seconds: int = 0,
) -> Fill:
    quantity, price = Decimal(quantity), Decimal(price)
    return Fill(
        execution_id=execution,
        order_id=order_id,
        symbol="BTC/USD",
        side=side,
        quantity=quantity,
        price=price,
        cost=quantity * price,
        fee=quantity * price * Decimal("0.004"),
        exchange_time=START + timedelta(seconds=seconds),
    )


MEASURED = {"average_true_range": Decimal(1), "volatility": Decimal("0.0001")}
"""A pair that hardly moves: its volatility is known and binds nowhere."""
LATER = START + timedelta(days=30)
TOLD = FigureTimes(fees=LATER, universe=LATER, groups=LATER)
"""No figure grows old in a story of a month."""


def a_market(
    symbol: str = "BTC/USD",
    bid: str = "50000",
    ask: str = "50001",
    seconds: int = 0,
    **changes: object,
) -> MarketSnapshot:
    values: dict[str, object] = {
        "symbol": symbol,
        "bid": Decimal(bid),
        "ask": Decimal(ask),
        "last": Decimal(bid),
        "observed_at": START + timedelta(seconds=seconds),
        "book": a_book(bid, ask),
        "book_at": changes.get("observed_at", START + timedelta(seconds=seconds)),
        **MEASURED,
        "measured_at": START + timedelta(seconds=seconds),
    }
    return MarketSnapshot(**{**values, **changes})  # type: ignore[arg-type]


def an_evidence(
    move: str = "0.05",
    results: int = 100,
    deviation: str = "0.01",
    source: EvidenceSource = EvidenceSource.SIMULATION,
    **changes: object,
) -> Evidence:
    """Evidence of the baseline from one source; ``move`` is the mean gross move."""
    mean = Decimal(move)
    summary = SourceSummary(source, results, mean, Decimal(deviation), mean, START)
    values: dict[str, object] = {"strategy": "trend", "version": "1", "sources": (summary,)}
    return Evidence(**{**values, **changes})  # type: ignore[arg-type]


def a_claim(**changes: object) -> Claim:
    """A strategy's claim on a price of 100 with evidence of 5 percent."""
    values: dict[str, object] = {
        "by": Claimant.STRATEGY,
        "entry_price": Decimal(100),
        "stop_price": Decimal(95),
        "target_price": None,
        "policy": EvidencePolicy(),
        "is_live": False,
        "now": START,
        "evidence": an_evidence(),
    }
    return Claim(**{**values, **changes})  # type: ignore[arg-type]


def an_account(cash: str = "100000", **changes: object) -> AccountState:
    values: dict[str, object] = {
        "account": "company",
        "installation": INSTALLATION,
        "instruments": {s: an_instrument(s) for s in ("BTC/USD", "ETH/USD")},
        "fees": {s: FeeRates(Decimal("0.0025"), Decimal("0.004")) for s in ("BTC/USD", "ETH/USD")},
        "balances": {"USD": Decimal(cash)},
        "figure_times": TOLD,
    }
    account = AccountState(**{**values, **changes})  # type: ignore[arg-type]
    if "drawdown" in changes or account.trades:
        return account
    equity = equity_now(account)
    drawdown = None if equity is None else start_drawdown(equity, START.date(), START)
    return replace(account, drawdown=drawdown, measured_since=START if drawdown else None)
