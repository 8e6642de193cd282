"""How a value is moved into USD and back: parts of trades sold, ordinary trades opened."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading.account.capital import portfolio
from models.trading.account.entries.outcomes import EntryOutcome
from models.trading.account.entries.preconditions import EntryIntent
from models.trading.account.facts import AccountCommand
from models.trading.account.hedge.facts import HedgeReviewRequested
from models.trading.account.state import ZERO, AccountState
from models.trading.exits.distances import Exits
from models.trading.hedge.book import split_reduction, split_restoration
from models.trading.market import MarketSnapshot
from models.trading.orders import OrderType
from models.trading.risk.account_assets import asset_rules
from models.trading.trade.figures import HEDGE_SOURCE
from models.trading.trade.state import TradePhase, TradeSummary

BACK_STOP_SHARE = Decimal("0.05")
"""How far below the price the stop of what is bought back lies, and trails: it has no strategy
that would say so. Five percent is two to three common days of the pairs traded here."""

Consider = Callable[[AccountState, EntryIntent], EntryOutcome]


@dataclass(frozen=True, slots=True)
class BoughtBack:
    """The account with what is being bought back; ``reason`` why that is nothing, or less."""

    state: AccountState
    commands: tuple[AccountCommand, ...]
    reason: str


def reductions(state: AccountState, value: Decimal) -> dict[int, Decimal]:
    """Return what all sales of each open trade shall reach, so that a value in USD is sold."""
    held: dict[str, Decimal] = {}
    assets = asset_rules(state)
    for number, trade in state.trades.items():
        if assets.is_cash(trade.symbol.partition("/")[0]):
            continue
        price = portfolio.price_of(state, trade.symbol)
        if can_shrink(trade) and price is not None:
            held[str(number)] = (trade.bought - trade.sold) * price
    targets: dict[int, Decimal] = {}
    for name, part in split_reduction(value, held).items():
        trade = state.trades[int(name)]
        price, instrument = portfolio.price_of(state, trade.symbol), state.instruments[trade.symbol]
        assert price is not None
        quantity = instrument.floor_quantity(min(part / price, trade.bought - trade.sold))
        if instrument.meets_minimum(quantity, min(price, trade.stop_price)):
            targets[trade.number] = trade.sold + quantity
    return targets


def buy_back(
    state: AccountState, fact: HedgeReviewRequested, value: Decimal, consider: Consider
) -> BoughtBack:
    """Open trades in what the hedge sold; each goes through every rule of an entry."""
    snapshots = {m.symbol: m for m in fact.market}
    prices = {s.partition("/")[0]: m.ask for s, m in snapshots.items() if m.ask > 0}
    parts = split_restoration(value, state.hedge_book, prices)
    if not parts:
        return BoughtBack(state, (), "there is nothing to buy back: entries are free again")
    commands: list[AccountCommand] = []
    reasons = []
    for asset, part in parts.items():
        outcome = _buy(state, fact, snapshots[f"{asset}/USD"], part, consider)
        state = outcome.state
        if outcome.command is not None:
            commands.append(outcome.command)
        else:
            reasons.append(f"{asset}: {outcome.verdict.reason}")
    return BoughtBack(state, tuple(commands), "; ".join(reasons))


def can_shrink(trade: TradeSummary) -> bool:
    """Tell whether a part of a trade can be sold: it is whole, protected and not ending."""
    whole = trade.phase is TradePhase.OPEN and not trade.entry_open
    return whole and trade.exit_reason is None and trade.bought > trade.sold


def _buy(
    state: AccountState,
    fact: HedgeReviewRequested,
    market: MarketSnapshot,
    value: Decimal,
    consider: Consider,
) -> EntryOutcome:
    instrument = state.instruments[market.symbol]
    distance = market.ask * BACK_STOP_SHARE
    intent = EntryIntent(
        source=f"{HEDGE_SOURCE}{fact.request_id}",
        symbol=market.symbol,
        order_type=OrderType.MARKET,
        limit_price=None,
        quantity=None,
        exits=Exits(market.bid - distance, None, distance),
        protection=state.protection,
        market=market,
        expires_at=None,
        at=fact.at,
        by="hedge",
        # No person is asked: it is no more than was held before, and within every limit.
        approved=True,
    )
    sized = consider(state, intent)
    if sized.command is None:
        return sized
    most = instrument.floor_quantity(value / (market.ask * (1 + state.limits.slippage_share)))
    if sized.command.plan.entry.quantity <= most:
        return sized
    return consider(state, replace(intent, quantity=most))


__all__ = ["BACK_STOP_SHARE", "ZERO", "BoughtBack", "buy_back", "reductions"]
