"""An entry is worth its costs by evidence, by its own target, or not at all; each says which."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from models.trading.account.decisions import decide
from models.trading.account.entries.basis import CostBudget, EntryBasis, check_budget
from models.trading.account.entries.claims import (
    Claim,
    Claimant,
    break_even_probability,
    judge_claim,
)
from models.trading.account.entries.record import EntryRecord
from models.trading.account.facts import EnterTrade, IdeaArrived, RecordAccount, RecordIdea
from models.trading.account.settings.in_force import SettingsInForce, version_in_force
from models.trading.account.state import AccountState
from models.trading.ideas import Idea
from models.trading.risk.limits import Mode
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.records import export_values
from models.trading.strategies.evidence import Evidence, EvidencePolicy, EvidenceSource
from tests.models.trading.account.test_account_decisions import a_request
from tests.models.trading.trading_builders import (
    START,
    a_claim,
    a_market,
    an_account,
    an_evidence,
)

COSTS, MULTIPLE = Decimal("0.02"), Decimal("1.2")
NONE = Evidence("trend", "1")


def judged(claim: Claim) -> tuple[EntryBasis, bool, str]:
    found = judge_claim(claim, COSTS, MULTIPLE, " (fees of the published bottom tier)")
    return found.basis, found.check.passed, found.check.reason


def test_an_idea_is_weighed_by_what_its_version_has_shown() -> None:
    # error = 0.01^2 / 100: 100/101 of the mean is left.
    basis, passed, reason = judged(a_claim(evidence=an_evidence("0.025")))
    assert (basis, passed) == (EntryBasis.EVIDENCE, True)
    assert reason == (
        "expected 2.4752% (100 results from simulation: mean 2.5000%, shrunk 2.4752% ± 0.0995%) "
        "against 2.4000% that costs call for (fees of the published bottom tier)"
    )
    assert judged(a_claim(evidence=an_evidence("0.024")))[:2] == (EntryBasis.EVIDENCE, False)
    assert judged(a_claim(evidence=an_evidence("-0.01")))[:2] == (EntryBasis.EVIDENCE, False)


@pytest.mark.parametrize(
    ("changes", "passed", "words"),
    [
        ({}, True, "admitted on a simulated account"),
        ({"is_live": True}, False, "not admitted on a live account"),
        ({"policy": EvidencePolicy(unproven_admitted=False)}, False, "by the settings"),
        ({"evidence": None}, True, "its strategy's evidence is not known"),
        ({"evidence": None, "is_live": True}, False, "its strategy's evidence is not known"),
    ],
)
def test_an_unproven_idea_is_named_and_never_traded_live(
    changes: dict[str, object], passed: bool, words: str
) -> None:
    found = judge_claim(a_claim(**{"evidence": NONE, **changes}), COSTS, MULTIPLE, "")
    assert (found.basis, found.check.passed) == (EntryBasis.UNPROVEN, passed)
    assert found.check.code == "unproven"
    assert words in found.check.reason


def test_a_request_is_weighed_by_its_own_target_and_stop() -> None:
    # Reward 10 %, risk 5 %, costs 2 %: (5 + 2) / (10 + 5) of the trades have to win.
    basis, passed, reason = judged(a_claim(by=Claimant.PERSON, target_price=Decimal(110)))
    assert (basis, passed) == (EntryBasis.TARGET, True)
    assert "reward to risk 2.00, breaks even when 46.67% win after costs" in reason
    near = judged(a_claim(by=Claimant.PERSON, target_price=Decimal("101.9")))
    assert near[:2] == (EntryBasis.TARGET, False)
    assert "cannot earn its costs" in near[2]
    basis, passed, reason = judged(a_claim(by=Claimant.PERSON, is_live=True))
    assert (basis, passed) == (EntryBasis.NO_EXPECTATION, True)
    assert reason.startswith("no expectation given")


def test_break_even_earns_nothing_on_average() -> None:
    often = break_even_probability(Decimal("0.10"), Decimal("0.05"), COSTS)
    assert often is not None
    earned = often * (Decimal("0.10") - COSTS) - (1 - often) * (Decimal("0.05") + COSTS)
    assert abs(earned) < Decimal("1e-20")
    assert break_even_probability(COSTS, Decimal("0.05"), COSTS) is None


def test_the_budget_is_of_one_day_and_a_late_fact_does_not_renew_it() -> None:
    monday, tuesday = date(2026, 1, 5), date(2026, 1, 6)
    spent = CostBudget().with_entry(tuesday, Decimal(30)).with_entry(monday, Decimal(20))
    assert spent == CostBudget(tuesday, Decimal(50))
    assert spent.on(tuesday + timedelta(days=1)).spent == 0
    assert check_budget(Decimal(50), Decimal(50), Decimal(100)).passed
    assert not check_budget(Decimal(50), Decimal("50.01"), Decimal(100)).passed


def an_idea(number: int, evidence: Evidence | None, seconds: int = 0) -> IdeaArrived:
    at = START + timedelta(seconds=seconds)
    idea = Idea(
        idea_id=f"i-{number}",
        strategy="trend",
        strategy_version="1",
        symbol="BTC/USD",
        bar_start=at,
        expires_at=at + timedelta(hours=1),
        stop_price=Decimal(49000),
        take_profit_price=Decimal(56000),
        trailing_distance=None,
    )
    return IdeaArrived(idea, a_market(seconds=seconds), at, evidence)


def entered(account: AccountState, fact: IdeaArrived) -> tuple[AccountState, EntryRecord | None]:
    decision = decide(account, fact)
    found = [c.entry for c in decision.commands if isinstance(c, RecordAccount) and c.entry]
    return decision.state, found[0] if found else None


def test_an_idea_is_entered_unproven_marked_on_its_trade_and_counted() -> None:
    decision = decide(an_account(), an_idea(1, NONE))
    command = next(c for c in decision.commands if isinstance(c, EnterTrade))
    assert command.record is not None
    plan = command.plan
    assert (plan.basis, command.record.basis) == (EntryBasis.UNPROVEN, EntryBasis.UNPROVEN)
    assert (plan.strategy, plan.strategy_version) == ("trend", "1")
    assert plan.evidence_source is EvidenceSource.SIMULATION
    costs = command.record.costs
    assert costs is not None
    assert decision.state.unbacked_costs == CostBudget(
        START.date(), costs.total * plan.entry.quantity * Decimal(50001)
    )


def test_what_has_shown_a_profit_is_not_counted_and_says_what_it_expects() -> None:
    account, record = entered(an_account(), an_idea(1, an_evidence()))
    assert record is not None
    assert record.basis is EntryBasis.EVIDENCE
    assert record.expectation is not None
    assert account.unbacked_costs.spent == 0


def test_evidence_of_another_version_proves_nothing() -> None:
    _, record = entered(an_account(), an_idea(1, an_evidence(version="2")))
    assert record is not None
    assert record.basis is EntryBasis.UNPROVEN


@pytest.mark.parametrize("evidence", [None, NONE, an_evidence(results=29)])
def test_a_live_account_enters_no_unproven_idea(evidence: Evidence | None) -> None:
    decision = decide(an_account(mode=Mode.LIVE), an_idea(1, evidence))
    (record,) = [c for c in decision.commands if isinstance(c, RecordIdea)]
    assert record.trade is None
    assert [c.code for c in record.verdict.failures] == ["unproven"]


def a_budget(share: str) -> SettingsInForce:
    default = version_in_force("account", SettingScope.ACCOUNT, SettingsInForce())
    values = {**export_values(default), "evidence.cost_budget_share": share}
    return SettingsInForce(1, json.dumps(values))


def test_unproven_entries_stop_at_their_budget_and_go_on_the_next_day() -> None:
    spent = entered(an_account(), an_idea(1, NONE))[0].unbacked_costs.spent
    tight = an_account(settings=a_budget(f"{spent * Decimal('1.2') / 100_000:.8f}"))
    tight, first = entered(tight, an_idea(1, NONE))
    assert first is not None
    after, second = entered(tight, an_idea(2, NONE, seconds=60))
    assert second is None
    record = next(
        c for c in decide(tight, an_idea(2, NONE, seconds=60)).commands if isinstance(c, RecordIdea)
    )
    assert [c.code for c in record.verdict.failures] == ["cost-budget-spent"]
    assert after.unbacked_costs == tight.unbacked_costs
    _, tomorrow = entered(after, an_idea(3, NONE, seconds=86_400))
    assert tomorrow is not None


def test_a_request_without_a_target_counts_and_one_with_a_target_does_not() -> None:
    without = decide(an_account(), a_request()).state
    assert without.unbacked_costs.spent > 0
    aimed = decide(an_account(), a_request(take_profit_price=Decimal(56000)))
    assert aimed.state.unbacked_costs.spent == 0
    command = next(c for c in aimed.commands if isinstance(c, EnterTrade))
    assert command.plan.basis is EntryBasis.TARGET
    assert command.plan.strategy_version == ""
