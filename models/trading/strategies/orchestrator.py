"""How much weight each strategy has: by evidence and regime, within bounds (L-5).

The factor that what a strategy wants is multiplied by begins at one, which nothing raises: limits
are set by people. It falls with a poor record, and in regimes in which being long has paid less. A
strategy that trades more in a year than it may is followed into no new entries until it trades
less.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from models.trading.strategy_policy import StrategyPolicy
from models.trading.verdicts import Check, Verdict

RULE = "L-5"
ZERO, ONE = Decimal(0), Decimal(1)
STEP = Decimal("0.05")
"""Factors lie on steps, so that not every closed trade is a change that is written down."""


class Regime(StrEnum):
    """What kind of market it is."""

    BULLISH = "bullish"
    SIDEWAYS = "sideways"
    BEARISH = "bearish"


_BY_REGIME = {
    Regime.BULLISH: ONE,
    Regime.SIDEWAYS: Decimal("0.75"),
    Regime.BEARISH: Decimal("0.50"),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a strategy on one account.

    Attributes:
        trades: closed trades ever.
        score: mean daily return over its deviation, None while that is not known.
        turnover: value entered within the last year, over equity.
        regime: of the market now, None: not known, and nothing follows from it.
    """

    trades: int
    score: Decimal | None
    turnover: Decimal
    regime: Regime | None = None


@dataclass(frozen=True, slots=True)
class Weighing:
    """The factor, and the checks it rests on: one that has not passed lowers it."""

    factor: Decimal
    verdict: Verdict


def weigh(policy: StrategyPolicy, evidence: Evidence) -> Weighing:
    """Return the factor of a strategy, between the policy's minimum and one; zero: no entries."""
    record, by_record = _by_record(policy, evidence)
    regime, by_regime = _by_regime(evidence.regime)
    reason = f"{evidence.turnover:.2f} times equity entered in a year"
    turnover = Check(
        RULE,
        "turnover-exceeded",
        evidence.turnover < policy.turnover_maximum,
        f"{reason}, {policy.turnover_maximum} allowed",
        evidence.turnover,
        policy.turnover_maximum,
    )
    verdict = Verdict((record, regime, turnover))
    if not turnover.passed:
        return Weighing(ZERO, verdict)
    factor = max(policy.factor_minimum, by_record * by_regime)
    return Weighing(min(ONE, (factor / STEP).to_integral_value() * STEP), verdict)


def check_cost(policy: StrategyPolicy, cost: Decimal, expected: Decimal | None) -> Check:
    """Refuse an entry whose round trip costs too much of the gain that is expected before costs."""
    if expected is None or expected <= ZERO:
        reason = "no expected gain is known: not applicable"
        return Check(RULE, "cost-share-exceeded", passed=True, reason=reason)
    share = cost / expected
    most = policy.cost_share_maximum
    reason = f"costs of {cost:.4%} are {share:.2%} of the expected gain, {most:.2%} allowed"
    return Check(RULE, "cost-share-exceeded", share <= most, reason, share, most)


def _by_record(policy: StrategyPolicy, evidence: Evidence) -> tuple[Check, Decimal]:
    if evidence.trades < policy.trades_minimum or evidence.score is None:
        reason = f"{evidence.trades} closed trades tell nothing yet"
        return Check(RULE, "poor-record", passed=True, reason=reason), ONE
    factor = min(ONE, max(policy.factor_minimum, ONE + evidence.score * policy.performance_weight))
    reason = f"score {evidence.score:.3f} of {evidence.trades} closed trades"
    return Check(RULE, "poor-record", factor == ONE, reason, evidence.score), factor


def _by_regime(regime: Regime | None) -> tuple[Check, Decimal]:
    if regime is None:
        reason = "the regime is not known: nothing follows from it"
        return Check(RULE, "regime", passed=True, reason=reason), ONE
    factor = _BY_REGIME[regime]
    return Check(RULE, "regime", factor == ONE, f"the market is {regime.value}"), factor
