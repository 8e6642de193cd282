"""From a target weight to orders: the difference to what is held, within the account's band (T-4).

A weight of one is as much of the pair as the account lets one pair hold, and not more than the
strategy's own capital. The difference becomes an entry, which passes every rule that entries pass,
or sales of parts of the strategy's trades, the oldest first. Zero closes them. Whatever is held
keeps its stop on the exchange; it follows the strategy's, and never falls.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from models.trading.account.capital import portfolio
from models.trading.account.capital.allocation import allocation_of, is_split
from models.trading.account.entries.outcomes import EntryOutcome
from models.trading.account.entries.preconditions import TARGET_WEIGHT, EntryIntent
from models.trading.account.equity import valuation
from models.trading.account.facts import (
    AccountCommand,
    CloseTrades,
    IdeaArrived,
    RaiseStops,
    ReduceTrades,
)
from models.trading.account.rules import rules_in_force
from models.trading.account.state import ZERO, AccountState
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradePhase, TradeSummary
from models.trading.verdicts import Check, Headroom, Verdict

RULE = "L-5"
ONE = Decimal(1)

Consider = Callable[[AccountState, EntryIntent], EntryOutcome]


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of a weight: the entry's outcome, if one was considered, and what trades are told.

    ``verdict`` says why nothing was entered where ``entry`` is None; ``state`` is the account then.
    """

    state: AccountState
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
    state: AccountState,
    fact: IdeaArrived,
    intent: EntryIntent,
    consider: Consider,
    factor: Decimal = ONE,
) -> Followed:
    """Turn the weight of an idea into an entry, sales, or nothing; stops are raised in any case.

    ``factor`` is what the orchestrator leaves of the weight. Zero takes no entries, and leaves what
    is held to the strategy's own weight.
    """
    wanted = fact.idea.target_weight
    assert wanted is not None
    weight = wanted * factor if factor > ZERO else wanted
    worth = valuation(state)
    standing = standing_of(state, fact, worth.known)
    if weight <= ZERO:
        return _close(state, standing, fact)
    raised = _raise_stops(standing, fact)
    state, standing = _with_stops(state, standing, raised)
    if standing.waiting:
        reason = "an earlier entry is still under way"
        return Followed(state, _refused("entry-under-way", reason), raised)
    if worth.reason:
        return Followed(state, _refused("equity-unknown", worth.reason), raised)
    off = min(weight, ONE) - standing.weight
    band = rules_in_force(state).strategies.band
    if abs(off) <= band:
        reason = f"{standing.weight:.2%} held against {weight:.2%}, within {band:.2%}"
        return Followed(state, _refused("in-band", reason), raised)
    if off < ZERO:
        return _reduce(state, standing, fact, -off * standing.most, raised)
    if factor == ZERO:
        reason = "the strategy has traded as much as it may"
        return Followed(state, _refused("turnover-exceeded", reason), raised)
    guarded = max(intent.exits.stop_price, *(t.stop_price for t in standing.trades), ZERO)
    exits = replace(intent.exits, stop_price=guarded)
    limit = standing.value + off * standing.most
    headroom = Headroom(TARGET_WEIGHT, standing.value, limit, RULE, "in-band")
    outcome = consider(state, replace(intent, exits=exits, headroom=headroom))
    return Followed(outcome.state, outcome.verdict, raised, outcome)


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


def _close(state: AccountState, standing: Standing, fact: IdeaArrived) -> Followed:
    numbers = tuple(trade.number for trade in standing.trades)
    by = f"strategy/{fact.idea.strategy}"
    if not numbers:
        reason = "nothing is held, and nothing shall be"
        return Followed(state, _refused("nothing-to-hold", reason))
    check = Check(RULE, "target-weight", passed=True, reason="nothing shall be held")
    return Followed(state, Verdict((check,)), (CloseTrades(numbers, ExitReason.STRATEGY, by),))


def _reduce(
    state: AccountState,
    standing: Standing,
    fact: IdeaArrived,
    value: Decimal,
    raised: tuple[RaiseStops, ...],
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
        return Followed(state, _refused("not-open", "no trade can be made smaller now"), raised)
    check = Check(RULE, "target-weight", passed=True, reason=f"{value:.2f} USD are sold")
    by = f"strategy/{fact.idea.strategy}"
    return Followed(state, Verdict((check,)), (*raised, ReduceTrades(targets, by)))


def _with_stops(
    state: AccountState, standing: Standing, raised: tuple[RaiseStops, ...]
) -> tuple[AccountState, Standing]:
    """Note where stops have been asked to: what is added goes under the same."""
    moved = {number: command.stop_price for command in raised for number in command.trades}
    if not moved:
        return state, standing
    trades = {
        number: replace(trade, stop_price=moved.get(number, trade.stop_price))
        for number, trade in state.trades.items()
    }
    own = tuple(trades[trade.number] for trade in standing.trades)
    return replace(state, trades=trades), replace(standing, trades=own)


def _raise_stops(standing: Standing, fact: IdeaArrived) -> tuple[RaiseStops, ...]:
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
