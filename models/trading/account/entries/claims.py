"""By what an entry says that it is worth its costs, and whether it is (R-6).

- A strategy's idea stands on the evidence of its version. Without enough of it the idea is
  *unproven*: refused on a live account; on a simulated one admitted where the settings say so.
- A person's request stands on its own target and stop: its reward, what it risks, and how often it
  has to win to earn nothing. Without a target nothing is expected, which is said.
- What the hedge buys back was judged by the hedge's own rule (H-2).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from models.trading.account.entries.basis import EntryBasis
from models.trading.strategies.evidence import (
    Evidence,
    EvidencePolicy,
    Expectation,
    expectation_of,
    why_unproven,
)
from models.trading.verdicts import Check


class Claimant(StrEnum):
    """Who wants an entry."""

    STRATEGY = "strategy"
    PERSON = "person"
    HEDGE = "hedge"


@dataclass(frozen=True, slots=True)
class Claim:
    """What an entry rests on; prices in USD per base unit, ``now`` is market time.

    ``evidence`` is that of the strategy version, None when it is not known.
    """

    by: Claimant
    entry_price: Decimal
    stop_price: Decimal
    target_price: Decimal | None
    policy: EvidencePolicy
    is_live: bool
    now: datetime
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """The basis, the check of R-6, and what was expected where there is evidence."""

    basis: EntryBasis
    check: Check
    expectation: Expectation | None = None


def judge_claim(claim: Claim, costs: Decimal, multiple: Decimal, note: str) -> JudgedClaim:
    """Compare what an entry claims with its costs.

    Args:
        claim: what it rests on.
        costs: those of the round trip, as a share of the price.
        multiple: times the costs that the expectation must come to.
        note: what the costs rest on, appended to the reason.
    """
    if claim.by is Claimant.HEDGE:
        reason = f"moved by the hedge, whose own rule weighs the costs of {costs:.4%}{note}"
        return JudgedClaim(EntryBasis.HEDGE, _check(reason, None, costs * multiple))
    if claim.by is Claimant.PERSON:
        return _judge_target(claim, costs, multiple, note)
    expectation = expectation_of(claim.evidence, claim.policy, claim.now)
    if expectation is None:
        return _judge_unproven(claim, costs, note)
    least = costs * multiple
    reason = (
        f"expected {expectation.counted:.4%} ({expectation.results} results from "
        f"{expectation.source.value}: mean {expectation.mean:.4%}, shrunk "
        f"{expectation.expected:.4%} ± {expectation.spread:.4%}) against {least:.4%} that costs "
        f"call for{note}"
    )
    check = _check(reason, expectation.counted, least)
    return JudgedClaim(EntryBasis.EVIDENCE, check, expectation)


def break_even_probability(reward: Decimal, risk: Decimal, costs: Decimal) -> Decimal | None:
    """Return how often a trade must reach its target to earn nothing, as a share.

    A win brings ``reward - costs``, a loss takes ``risk + costs``, all shares of the entry price:
    ``p (reward - costs) = (1 - p) (risk + costs)``. None where no share of wins is enough.
    """
    both = reward + risk
    if both <= 0 or reward <= costs:
        return None
    return (risk + costs) / both


def _judge_target(claim: Claim, costs: Decimal, multiple: Decimal, note: str) -> JudgedClaim:
    target, entry, least = claim.target_price, claim.entry_price, costs * multiple
    if target is None:
        reason = f"no expectation given: there is no target; costs are {costs:.4%}{note}"
        return JudgedClaim(EntryBasis.NO_EXPECTATION, _check(reason, None, least))
    reward = (target - entry) / entry
    risk = (entry - claim.stop_price) / entry
    often = break_even_probability(reward, risk, costs)
    wins = "cannot earn its costs" if often is None else f"breaks even when {often:.2%} win"
    ratio = f"{reward / risk:.2f}" if risk > 0 else "unbounded"
    reason = (
        f"by its own target and stop: {reward:.4%} against {least:.4%} that costs call for; "
        f"reward to risk {ratio}, {wins} after costs{note}"
    )
    return JudgedClaim(EntryBasis.TARGET, _check(reason, reward, least))


def _judge_unproven(claim: Claim, costs: Decimal, note: str) -> JudgedClaim:
    why = why_unproven(claim.evidence, claim.policy)
    admitted = claim.policy.unproven_admitted and not claim.is_live
    if admitted:
        place = "admitted on a simulated account"
    elif claim.is_live:
        place = "not admitted on a live account"
    else:
        place = "not admitted by the settings"
    reason = f"unproven: {why}; {place}; costs are {costs:.4%}{note}"
    return JudgedClaim(EntryBasis.UNPROVEN, Check("R-6", "unproven", admitted, reason))


def _check(reason: str, figure: Decimal | None, least: Decimal) -> Check:
    passed = figure is None or figure >= least
    return Check("R-6", "not-worth-costs", passed, reason, figure, least)
