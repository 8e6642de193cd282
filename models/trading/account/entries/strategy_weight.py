"""What the orchestrator's weight does to an entry that a strategy wants, and how it is noted."""

from dataclasses import replace
from decimal import Decimal

from models.trading.account.entries.preconditions import EntryIntent
from models.trading.account.equity import equity_last_known
from models.trading.account.facts import IdeaArrived, RecordAccount
from models.trading.account.rules import rules_in_force
from models.trading.account.state import ZERO, AccountState
from models.trading.capital.strategy_results import (
    StrategyResults,
    entered_within_a_year,
    note_entry,
)
from models.trading.ideas import StrategyStanding
from models.trading.strategies.orchestrator import Evidence, Weighing, weigh
from models.trading.verdicts import Headroom

ONE = Decimal(1)
MODEL_SIZE = "size by the model"


def weighing_of(state: AccountState, fact: IdeaArrived) -> Weighing | None:
    """Return the weight of an idea's strategy, None for what only demonstrates."""
    if fact.idea.standing is StrategyStanding.DEMONSTRATION:
        return None
    known = state.results.get(fact.idea.strategy, StrategyResults())
    equity = equity_last_known(state)
    day = fact.market.observed_at.date()
    turnover = entered_within_a_year(known, day) / equity if equity > ZERO else ZERO
    policy = rules_in_force(state).strategies
    return weigh(policy, Evidence(known.trades, known.score, turnover))


def weighed(intent: EntryIntent, state: AccountState, weighing: Weighing) -> EntryIntent:
    """Return the intent with what the weight leaves of it: a share of what one pair may hold."""
    if weighing.factor == ONE:
        return intent
    most = rules_in_force(state).limits.pair_exposure_share * equity_last_known(state)
    headroom = Headroom(
        "strategy weight", ZERO, most * weighing.factor, "L-5", "strategy-outweighed"
    )
    if intent.headroom is not None and intent.headroom.left < headroom.left:
        return intent
    return replace(intent, headroom=headroom)


def within_share(intent: EntryIntent, state: AccountState, share: Decimal | None) -> EntryIntent:
    """Return the intent within a share of equity that the idea itself wants at most.

    A share that is no number from zero to one wants nothing: unknown is not as much as one likes.
    """
    if share is None:
        return intent
    known = share if share.is_finite() and ZERO <= share <= ONE else ZERO
    limit = max(ZERO, equity_last_known(state)) * known
    headroom = Headroom(MODEL_SIZE, ZERO, limit, "L-3", "size-by-model")
    if intent.headroom is not None and intent.headroom.left < headroom.left:
        return intent
    return replace(intent, headroom=headroom)


def note_weight(
    state: AccountState, strategy: str, weighing: Weighing
) -> tuple[AccountState, tuple[RecordAccount, ...]]:
    """Remember the weight of a strategy, and have a change written down."""
    before = state.strategy_factors.get(strategy, ONE)
    if weighing.factor == before:
        return state, ()
    factors = {**state.strategy_factors, strategy: weighing.factor}
    why = "; ".join(check.reason for check in weighing.verdict.failures) or "as before"
    details = (
        ("strategy", strategy),
        ("before", str(before)),
        ("after", str(weighing.factor)),
        ("why", why),
    )
    audited = RecordAccount("strategy_weighed", "orchestrator", details)
    return replace(state, strategy_factors=factors), (audited,)


def note_entered(state: AccountState, fact: IdeaArrived, value: Decimal) -> AccountState:
    """Count what an entry of a strategy is worth, in USD, towards its turnover."""
    name = fact.idea.strategy
    known = state.results.get(name, StrategyResults())
    noted = note_entry(known, value, fact.market.observed_at.date())
    return replace(state, results={**state.results, name: noted})
