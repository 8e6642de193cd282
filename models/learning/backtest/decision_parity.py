"""Where a simulated account in lockstep and the reference backtest decided differently, and why.

Both are given the same bars. What a strategy proposed has to be the same to the last digit. What
the account made of it may differ, as the account has limits and other strategies beside it that a
backtest leaves out: each such difference names the rule that decided; one without is unexplained.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.learning.backtest.bars import Bars
from models.learning.backtest.decisions import INSTALLATION, at_close
from models.learning.backtest.reference import run_reference
from models.learning.backtest.results import FillKind
from models.trading.ideas import Idea
from models.trading.strategies import Strategy

Key = tuple[str, datetime]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a strategy wanted at the close of a bar; prices in quote units."""

    strategy: str
    bar_start: datetime
    target_weight: Decimal | None
    stop_price: Decimal
    take_profit_price: Decimal | None
    trailing_distance: Decimal | None
    limit_price: Decimal | None

    @property
    def key(self) -> Key:
        """Return strategy and bar."""
        return self.strategy, self.bar_start


@dataclass(frozen=True, slots=True)
class AccountDecision:
    """What a simulated account made of a proposal: acted on it, or why not."""

    proposal: Proposal
    acted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionDifference:
    """One proposal that is not the same, or that was dealt with differently."""

    strategy: str
    bar_start: datetime
    what: str
    explanation: str

    def document(self) -> dict[str, Any]:
        """Return the difference as JSON-ready values."""
        return {
            "strategy": self.strategy,
            "bar": self.bar_start.isoformat(),
            "what": self.what,
            "explanation": self.explanation or None,
        }


@dataclass(frozen=True, slots=True)
class DecisionParity:
    """How far both agree; ``unexplained`` differences are faults of one of them."""

    proposals: int
    same_proposals: int
    differences: tuple[DecisionDifference, ...]

    @property
    def unexplained(self) -> int:
        """Return how many differences have no explanation."""
        return sum(not one.explanation for one in self.differences)


def proposal_of(idea: Idea) -> Proposal:
    """Return what an idea proposes."""
    return Proposal(
        idea.strategy,
        idea.bar_start,
        idea.target_weight,
        idea.stop_price,
        idea.take_profit_price,
        idea.trailing_distance,
        idea.limit_price,
    )


def reference_proposals(strategy: Strategy, bars: Bars) -> list[Proposal]:
    """Return what the strategy proposes on bars, fed as the reference engine feeds it."""
    state, found = strategy.start(), []
    for candle in bars.candles():
        state = strategy.update(state, candle)
        idea = strategy.propose(state, at_close(candle), bars.instrument, INSTALLATION)
        if idea is not None:
            found.append(proposal_of(idea))
    return found


def reference_buys(strategy: Strategy, bars: Bars) -> frozenset[Key]:
    """Return the proposals after which the reference engine bought something."""
    result = run_reference(strategy, bars)
    bought = {fill.bar for fill in result.fills if fill.kind is FillKind.ENTRY}
    return frozenset((strategy.name, bars.start(bar - 1)) for bar in bought if bar)


def compare_decisions(
    reference: Iterable[Proposal],
    bought: frozenset[Key],
    account: Iterable[AccountDecision],
    unseen: Mapping[datetime, str],
) -> DecisionParity:
    """Compare what both proposed on the same bars, and what came of it.

    Args:
        reference: proposals of the reference engine.
        bought: those after which it bought.
        account: what the simulated account recorded.
        unseen: bars whose decisions the account cannot have, with the reason.
    """
    wanted = {one.key: one for one in reference}
    decided = {one.proposal.key: one for one in account}
    differences, same = [], 0
    for key in sorted(wanted.keys() | decided.keys(), key=lambda one: (one[1], one[0])):
        theirs, ours = wanted.get(key), decided.get(key)
        what, why = "", ""
        if theirs is None or ours is None:
            who = "reference" if ours is None else "account"
            what, why = f"only the {who} decided", unseen.get(key[1], "")
        elif theirs != ours.proposal:
            what = f"proposed {_words(theirs)} in the reference, {_words(ours.proposal)} live"
        else:
            same += 1
            if key in bought and not ours.acted:
                what, why = "only the reference bought", "; ".join(ours.reasons)
        if what:
            differences.append(DecisionDifference(*key, what, why))
    return DecisionParity(len(wanted.keys() | decided.keys()), same, tuple(differences))


def _words(one: Proposal) -> str:
    return f"weight {one.target_weight}, stop {one.stop_price}"
