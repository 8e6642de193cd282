"""An account's capital split across its strategies: what each may use, and what it has earned."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from models.trading.account.capital import portfolio
from models.trading.account.equity import equity_last_known
from models.trading.account.rules import rules_in_force
from models.trading.account.state import ZERO, AccountState
from models.trading.capital.allocation import (
    Allocation,
    AllocationMethod,
    AllocationPolicy,
    StrategyRecord,
    allocate,
    strategy_headroom,
)
from models.trading.capital.strategy_results import StrategyResults, note_trade
from models.trading.trade.state import TradeSummary
from models.trading.verdicts import Headroom


def headroom_of_strategy(
    state: AccountState,
    strategy: str,
    policy: AllocationPolicy,
    fixed_shares: Mapping[str, Decimal],
) -> Headroom | None:
    """Return what the capital of a strategy leaves for one more entry.

    None where capital is not split: for entries that people ask for, and while the method is fixed
    and no share has been fixed. Computed anew for each entry, so that a change counts from the next
    decision on.
    """
    if not strategy or not is_split(policy, fixed_shares):
        return None
    shares = allocation_of(state, policy, fixed_shares).shares
    share = shares.get(strategy, ZERO)
    return strategy_headroom(
        strategy, share, equity_last_known(state), exposure_of(state, strategy)
    )


def is_split(policy: AllocationPolicy, fixed_shares: Mapping[str, Decimal]) -> bool:
    """Tell whether capital is split across strategies at all."""
    return policy.method is not AllocationMethod.FIXED or bool(fixed_shares)


def allocation_of(
    state: AccountState, policy: AllocationPolicy, fixed_shares: Mapping[str, Decimal]
) -> Allocation:
    """Split the capital across the strategies that the account follows."""
    return allocate(policy, records(state.strategies, state.results, fixed_shares))


def records(
    strategies: tuple[str, ...],
    results: Mapping[str, StrategyResults],
    fixed_shares: Mapping[str, Decimal],
) -> list[StrategyRecord]:
    """Return what is known of each strategy that is followed."""
    found = []
    for name in strategies:
        known = results.get(name, StrategyResults())
        found.append(
            StrategyRecord(
                name,
                fixed_shares.get(name, ZERO),
                known.volatility,
                known.score,
                known.trades,
            )
        )
    return found


def exposure_of(state: AccountState, strategy: str) -> Decimal:
    """Return USD in a strategy's own trades: held at the last price, and promised to entries."""
    total = ZERO
    for trade in state.trades.values():
        if trade.strategy != strategy:
            continue
        price = portfolio.price_of(state, trade.symbol) or ZERO
        total += (trade.bought - trade.sold) * price + trade.reserved_cash
    return total


def name_strategy(state: AccountState, trade: int, strategy: str) -> AccountState:
    """Note whose trade one is that has just been entered."""
    named = replace(state.trades[trade], strategy=strategy)
    return replace(state, trades={**state.trades, trade: named})


def note_closed(state: AccountState, closed: TradeSummary) -> AccountState:
    """Count what a strategy's trade came to when it closed; dust left over at the last price."""
    if not closed.strategy or state.market_time is None:
        return state
    price = portfolio.price_of(state, closed.symbol) or ZERO
    profit = closed.cash_flow + (closed.bought - closed.sold) * price
    known = state.results.get(closed.strategy, StrategyResults())
    capital = equity_last_known(state) * _share_of(state, closed.strategy)
    noted = note_trade(known, profit, capital, state.market_time.date())
    return replace(state, results={**state.results, closed.strategy: noted})


def _share_of(state: AccountState, strategy: str) -> Decimal:
    """Return a strategy's own share of the capital: all of it where capital is not split."""
    rules = rules_in_force(state)
    if not is_split(rules.allocation, rules.fixed_shares):
        return Decimal(1)
    return allocation_of(state, rules.allocation, rules.fixed_shares).shares.get(strategy, ZERO)
