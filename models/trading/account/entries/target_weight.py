"""From a target weight to orders: the difference to what is held, within the account's band (T-4).

A weight of one is as much of the pair as the account lets one pair hold, and not more than the
strategy's own capital. The difference becomes an entry, which passes every rule that entries pass,
or sales of parts of the strategy's trades, the oldest first. Zero closes them. Whatever is held
keeps its stop on the exchange; it follows the strategy's, and never falls.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading import portfolio
from models.trading.account_allocation import allocation_of, is_split
from models.trading.account_checks import EntryIntent
from models.trading.account_equity import valuation
from models.trading.account_facts import (
    AccountCommand,
    CloseTrades,
    IdeaArrived,
    RaiseStops,
    ReduceTrades,
)
from models.trading.account_rules import rules_in_force
from models.trading.account_state import ZERO, AccountState
from models.trading.entry_outcomes import EntryOutcome
from models.trading.portfolio_limits import Room
from models.trading.trade_facts import ExitReason
from models.trading.trade_state import TradePhase, TradeSummary
from models.trading.verdicts import Check, Verdict

RULE = "L-5"
ONE = Decimal(1)

Consider = Callable[[AccountState, EntryIntent], EntryOutcome]


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of a weight: the entry's outcome, if one was considered, and what trades are told.

    ``verdict`` says why nothing was entered where ``entry`` is None.
    """

    verdict: Verdict
    commands: tuple[AccountCommand, ...] = ()
    entry: EntryOutcome | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the strategy holds of the pair, in USD, against the most it may hold.

    ``trades`` are its own, oldest first; ``waiting`` whether an entry of theirs is under way.
    """

    trades: tuple[TradeSummary, ...]
    value: Decimal
    most: Decimal
    waiting: bool

    @property
    def weight(self) -> Decimal:
        """Return what is held as a share of the most."""
        return self.value / self.most if self.most > ZERO else ZERO


def follow_weight(
    state: AccountState, fact: IdeaArrived, intent: EntryIntent, consider: Consider
) -> Followed:
    """Turn the weight of an idea into an entry, sales, or nothing; stops are raised in any case."""
    weight = fact.idea.target_weight
    assert weight is not None
    worth = valuation(state)
    standing = standing_of(state, fact, worth.known)
    if weight <= ZERO:
        return _close(standing, fact)
    raised = _raise_stops(standing, fact)
    if standing.waiting:
        return Followed(_refused("entry-under-way", "an earlier entry is still under way"), raised)
    if worth.reason:
        return Followed(_refused("equity-unknown", worth.reason), raised)
    off = min(weight, ONE) - standing.weight
    band = rules_in_force(state).strategies.band
    if abs(off) <= band:
        reason = f"{standing.weight:.2%} held against {weight:.2%}, within {band:.2%}"
        return Followed(_refused("in-band", reason), raised)
    if off < ZERO:
        return _reduce(standing, fact, -off * standing.most, raised)
    guarded = max(intent.exits.stop_price, *(t.stop_price for t in standing.trades), ZERO)
    exits = replace(intent.exits, stop_price=guarded)
    limit = standing.value + off * standing.most
    room = Room("target weight", standing.value, limit, RULE, "in-band")
    outcome = consider(state, replace(intent, exits=exits, room=room))
    return Followed(outcome.verdict, raised, outcome)


def standing_of(state: AccountState, fact: IdeaArrived, equity: Decimal) -> Standing:
    """Return where the strategy of an idea stands in its pair."""
    idea, rules = fact.idea, rules_in_force(state)
    trades = tuple(
        trade
        for number, trade in sorted(state.trades.items())
        if trade.strategy == idea.strategy and trade.symbol == idea.symbol
    )
    price = portfolio.price_of(state, idea.symbol) or fact.market.mid
    value = sum((t.bought - t.sold for t in trades), ZERO) * price
    most = max(ZERO, equity) * rules.limits.pair_exposure_share
    if is_split(rules.allocation, rules.fixed_shares):
        shares = allocation_of(state, rules.allocation, rules.fixed_shares).shares
        most = min(most, max(ZERO, equity) * shares.get(idea.strategy, ZERO))
    waiting = any(trade.entry_open for trade in trades)
    return Standing(trades, value, most, waiting)


def _close(standing: Standing, fact: IdeaArrived) -> Followed:
    numbers = tuple(trade.number for trade in standing.trades)
    by = f"strategy/{fact.idea.strategy}"
    if not numbers:
        return Followed(_refused("nothing-to-hold", "nothing is held, and nothing shall be"))
    check = Check(RULE, "target-weight", passed=True, reason="nothing shall be held")
    return Followed(Verdict((check,)), (CloseTrades(numbers, ExitReason.STRATEGY, by),))


def _reduce(
    standing: Standing, fact: IdeaArrived, value: Decimal, raised: tuple[AccountCommand, ...]
) -> Followed:
    """Sell a value, from the oldest trade on; each target is what all sales of a trade come to."""
    price = fact.market.mid
    left = value / price
    targets: dict[int, Decimal] = {}
    for trade in standing.trades:
        held = trade.bought - trade.sold
        if trade.phase is not TradePhase.OPEN or held <= ZERO or left <= ZERO:
            continue
        part = min(held, left)
        targets[trade.number] = trade.sold + part
        left -= part
    if not targets:
        return Followed(_refused("not-open", "no trade can be made smaller now"), raised)
    check = Check(RULE, "target-weight", passed=True, reason=f"{value:.2f} USD are sold")
    by = f"strategy/{fact.idea.strategy}"
    return Followed(Verdict((check,)), (*raised, ReduceTrades(targets, by)))


def _raise_stops(standing: Standing, fact: IdeaArrived) -> tuple[AccountCommand, ...]:
    stop, last = fact.idea.stop_price, min(fact.market.bid, fact.market.last)
    if not stop.is_finite() or not ZERO < stop < last:
        return ()
    numbers = tuple(
        trade.number
        for trade in standing.trades
        if trade.phase is TradePhase.OPEN and trade.stop_price < stop
    )
    by = f"strategy/{fact.idea.strategy}"
    return (RaiseStops(numbers, stop, last, by),) if numbers else ()


def _refused(code: str, reason: str) -> Verdict:
    return Verdict((Check(RULE, code, passed=False, reason=reason),))
