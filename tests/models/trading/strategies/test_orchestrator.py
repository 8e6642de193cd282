"""Weights of strategies: evidence lowers them, turnover ends entries, changes are written down."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from models.trading.account.decisions import decide
from models.trading.account.facts import EnterTrade, IdeaArrived, RecordAccount, RecordIdea
from models.trading.capital.strategy_results import (
    StrategyResults,
    entered_within_a_year,
    note_entry,
)
from models.trading.ideas import StrategyStanding
from models.trading.strategies.orchestrator import Evidence, Regime, check_cost, weigh
from models.trading.strategy_policy import StrategyPolicy
from tests.models.trading.account.test_target_weight import MARKET, an_idea, an_owner, of
from tests.models.trading.trading_builders import START, an_evidence

POLICY = StrategyPolicy()
NOTHING = Evidence(trades=0, score=None, turnover=Decimal(0))


def test_what_is_not_known_lowers_nothing():
    assert weigh(POLICY, NOTHING).factor == 1
    early = replace(NOTHING, trades=19, score=Decimal(-1))
    assert weigh(POLICY, early).factor == 1


@pytest.mark.parametrize(
    ("score", "factor"), [("0.3", "1"), ("-0.05", "0.75"), ("-0.1", "0.5"), ("-2", "0.25")]
)
def test_a_poor_record_lowers_the_weight_to_its_minimum_and_a_good_one_raises_nothing(
    score, factor
):
    found = weigh(POLICY, replace(NOTHING, trades=50, score=Decimal(score)))
    assert found.factor == Decimal(factor)
    assert found.verdict.allowed == (factor == "1")


def test_regime_counts_where_it_is_known():
    factors = [weigh(POLICY, replace(NOTHING, regime=regime)).factor for regime in Regime]
    assert factors == [1, Decimal("0.75"), Decimal("0.5")]


def test_turnover_beyond_the_maximum_takes_no_entries():
    found = weigh(POLICY, replace(NOTHING, turnover=Decimal(8)))
    assert found.factor == 0
    assert found.verdict.failures[0].code == "turnover-exceeded"


def test_costs_may_take_a_quarter_of_the_expected_gain():
    assert check_cost(POLICY, Decimal("0.02"), Decimal("0.08")).passed
    assert not check_cost(POLICY, Decimal("0.02"), Decimal("0.079")).passed
    assert check_cost(POLICY, Decimal("0.02"), None).passed


def test_entries_count_for_a_year():
    results = note_entry(StrategyResults(), Decimal(100), date(2025, 1, 15))
    results = note_entry(results, Decimal(50), date(2025, 1, 20))
    results = note_entry(results, Decimal(7), date(2025, 6, 1))
    assert entered_within_a_year(results, date(2025, 12, 31)) == 157
    assert entered_within_a_year(results, date(2026, 1, 1)) == 7


def test_an_account_notes_what_a_strategy_enters_and_stops_following_it():
    first = decide(an_owner(), IdeaArrived(an_idea("0.5"), MARKET, START))
    ((_, value),) = first.state.results["donchian_ensemble"].entered
    assert Decimal(12_000) < value < Decimal(12_500)
    busy = StrategyResults(entered=((START.date().replace(day=1), Decimal(10) ** 6),))
    account = an_owner(results={"donchian_ensemble": busy})
    decision = decide(account, IdeaArrived(an_idea("0.5"), MARKET, START))
    assert not of(decision, EnterTrade)
    (record,) = of(decision, RecordIdea)
    assert record.verdict.failures[0].code == "turnover-exceeded"
    (audited,) = [c for c in of(decision, RecordAccount) if c.action == "strategy_weighed"]
    assert ("after", "0") in audited.details
    again = decide(decision.state, IdeaArrived(an_idea("0.5", number=2), MARKET, START))
    assert not [c for c in of(again, RecordAccount) if c.action == "strategy_weighed"]


def test_a_poor_record_makes_entries_smaller():
    poor = StrategyResults(trades=40, days=100, total=Decimal("-0.1"), squares=Decimal("0.01"))
    whole = decide(an_owner(), IdeaArrived(an_idea("1"), MARKET, START))
    account = an_owner(results={"donchian_ensemble": poor})
    less = decide(account, IdeaArrived(an_idea("1"), MARKET, START))
    sizes = [of(d, EnterTrade)[0].plan.entry.quantity for d in (whole, less)]
    assert 0 < sizes[1] < sizes[0]
    plain = decide(account, IdeaArrived(an_idea("1", target_weight=None), MARKET, START))
    assert of(plain, EnterTrade)[0].plan.entry.quantity < sizes[0]


def test_dear_entries_of_strategies_are_refused_and_demonstrations_are_not():
    # Two percent pay costs of 0.8 percent twice, but not four times.
    two_percent = an_evidence("0.02", strategy="donchian_ensemble")
    dear = an_idea("0.5")
    arrived = IdeaArrived(dear, MARKET, START, two_percent)
    (record,) = of(decide(an_owner(), arrived), RecordIdea)
    assert [c.code for c in record.verdict.failures] == ["cost-share-exceeded"]
    shown = replace(dear, standing=StrategyStanding.DEMONSTRATION)
    assert of(decide(an_owner(), replace(arrived, idea=shown)), EnterTrade)
    cheap = replace(arrived, evidence=an_evidence(strategy="donchian_ensemble"))
    assert of(decide(an_owner(), cheap), EnterTrade)
