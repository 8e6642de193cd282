"""Accounts with a hedge, the reviews of it, and what its orders come to."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from models.trading.account.decisions import AccountDecision, decide
from models.trading.account.equity import equity_last_known
from models.trading.account.facts import EnterTrade, TradeProgressed
from models.trading.account.hedge.facts import HedgeOverrideRequested, HedgeReviewRequested
from models.trading.account.state import AccountState
from models.trading.hedge.target import HedgeSettings
from models.trading.risk.drawdown import start
from models.trading.trade.state import TradePhase, TradeSummary
from tests.models.trading.trading_builders import START, a_market, an_account

AUTOMATIC = HedgeSettings(automatic=True)
PRICE = Decimal(50000)
FEE = Decimal("0.004")


def a_trade(number: int = 1, quantity: str = "1", **changes: object) -> TradeSummary:
    bought = Decimal(quantity)
    summary = TradeSummary(
        number=number,
        symbol="BTC/USD",
        phase=TradePhase.OPEN,
        bought=bought,
        sold=Decimal(0),
        cash_flow=-bought * PRICE,
        fees=Decimal(0),
        reserved_cash=Decimal(0),
        stop_price=Decimal(45000),
        entry_order_id=f"O{number}",
        entry_client_order_id=f"c{number}",
        entry_open=False,
    )
    return replace(summary, **changes)  # type: ignore[arg-type]


def invested(*trades: TradeSummary, cash: str = "100000", price: Decimal = PRICE) -> AccountState:
    """Return an account that stands at its high-water mark with these trades open."""
    account = an_account(cash)
    wide = replace(account.limits, open_trades_per_pair=9, pair_exposure_share=Decimal("0.95"))
    state = replace(
        account,
        limits=wide,
        hedge_settings=AUTOMATIC,
        trades={trade.number: trade for trade in trades},
        prices={"BTC/USD": price},
        next_trade=1 + max((t.number for t in trades), default=0),
    )
    return replace(state, drawdown=start(equity_last_known(state), START.date(), START))


def a_review(
    number: int = 1, volatility: str | None = "0.08", price: Decimal = PRICE, seconds: int = 0
) -> HedgeReviewRequested:
    market = a_market(bid=str(price), ask=str(price), seconds=seconds)
    known = Decimal(volatility) if volatility is not None else None
    return HedgeReviewRequested(
        request_id=f"hedge/company/run/{number}",
        cause="time",
        market=(market,),
        volatilities={} if known is None else {"BTC/USD": known},
        market_volatility=known,
        market_at=market.observed_at,
        at=START + timedelta(seconds=seconds),
    )


def an_override(share: str, expires: timedelta | None = None) -> HedgeOverrideRequested:
    return HedgeOverrideRequested(
        "o-1", "director", Decimal(share), "storm ahead", START, START, expires
    )


def command(decision: AccountDecision, kind: type) -> object:
    found = [c for c in decision.commands if isinstance(c, kind)]
    return found[0] if found else None


def sell(state: AccountState, targets: dict[int, Decimal], price: Decimal = PRICE) -> AccountState:
    """Let trades sell what they were asked to, and tell the account."""
    for number, target in targets.items():
        known = state.trades[number]
        part = target - known.sold
        fee = part * price * FEE
        state = decide(
            state,
            TradeProgressed(
                replace(
                    known,
                    sold=target,
                    cash_flow=known.cash_flow + part * price - fee,
                    fees=known.fees + fee,
                    hedge_sold=known.hedge_sold + part,
                    hedge_turnover=known.hedge_turnover + part * price,
                    hedge_flow=known.hedge_flow + part * price - fee,
                    hedge_fees=known.hedge_fees + fee,
                ),
                closed=False,
                at=START,
            ),
        ).state
    return state


def fill(state: AccountState, entry: EnterTrade, price: Decimal = PRICE) -> AccountState:
    """Let an entry of the hedge be filled, and tell the account."""
    plan = entry.plan
    known, quantity = state.trades[plan.number], plan.entry.quantity
    cost, fee = quantity * price, quantity * price * FEE
    bought = replace(
        known,
        phase=TradePhase.OPEN,
        bought=quantity,
        cash_flow=-cost - fee,
        fees=fee,
        reserved_cash=Decimal(0),
        entry_open=False,
        hedge_bought=quantity,
        hedge_turnover=cost,
        hedge_flow=-cost - fee,
        hedge_fees=fee,
    )
    return decide(state, TradeProgressed(bought, closed=False, at=START)).state
