"""What is expected of an idea follows from results alone, and from few of them little."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.strategies.evidence import (
    Evidence,
    EvidencePolicy,
    EvidenceSource,
    StrategyResult,
    expectation_of,
    summarise_results,
    why_unproven,
)
from tests.models.trading.trading_builders import START, an_evidence

POLICY = EvidencePolicy()


def results(*moves: str, source: EvidenceSource = EvidenceSource.LIVE) -> list[StrategyResult]:
    return [
        StrategyResult(
            source,
            str(place),
            "BTC/USD",
            START + timedelta(hours=place),
            Decimal(move),
            Decimal(move) - Decimal("0.01"),
        )
        for place, move in enumerate(moves)
    ]


def test_results_are_summed_up_source_by_source_the_most_real_first() -> None:
    backtest = results("0.5", source=EvidenceSource.BACKTEST)
    live, tested = summarise_results([*backtest, *results("0.01", "0.03", "NaN")])
    assert (live.source, live.results, live.mean_move) == (EvidenceSource.LIVE, 2, Decimal("0.02"))
    assert live.deviation == Decimal("0.0141421356")
    assert (live.mean_net, live.newest_at) == (Decimal("0.01"), START + timedelta(hours=1))
    assert (tested.results, tested.deviation) == (1, 0)


def test_the_expectation_is_the_mean_shrunk_by_its_own_uncertainty() -> None:
    # error = 0.05^2 / 25 = 1e-4 = prior^2: half of the mean is left, give or take sqrt(0.5e-4).
    evidence = an_evidence("0.03", results=25, deviation="0.05")
    policy = replace(POLICY, results_minimum=25)
    found = expectation_of(evidence, policy, START)
    assert found is not None
    assert found.expected == found.counted == Decimal("0.0150000000")
    assert found.spread == Decimal("0.0070710678")
    careful = expectation_of(evidence, replace(policy, deviations_below=Decimal(2)), START)
    assert careful is not None
    assert careful.counted == Decimal("0.0008578644")


def test_a_handful_of_equal_results_is_not_taken_for_certainty() -> None:
    evidence = an_evidence("0.03", results=4, deviation="0")
    found = expectation_of(evidence, replace(POLICY, results_minimum=4), START)
    assert found is not None
    assert found.expected == Decimal("0.0240000000")  # error = prior^2 / 4: four fifths are left


@pytest.mark.parametrize(
    "evidence",
    [
        None,
        Evidence("trend", "1"),
        an_evidence(results=29),
        an_evidence("NaN"),
        an_evidence("Infinity"),
        an_evidence(deviation="NaN"),
        an_evidence(deviation="-1"),
    ],
)
def test_without_enough_usable_results_nothing_is_expected(evidence: Evidence | None) -> None:
    assert expectation_of(evidence, POLICY, START) is None
    assert why_unproven(evidence, POLICY)


def test_evidence_grows_old() -> None:
    latest = START + POLICY.age_maximum
    assert expectation_of(an_evidence(), POLICY, latest) is not None
    assert expectation_of(an_evidence(), POLICY, latest + timedelta(seconds=1)) is None


def test_sources_are_not_mixed_and_the_most_real_one_with_enough_counts() -> None:
    live = an_evidence("-0.02", results=30, source=EvidenceSource.LIVE).sources
    tested = an_evidence("0.08", results=500, source=EvidenceSource.BACKTEST).sources
    both = Evidence("trend", "1", (*tested, *live))
    found = expectation_of(both, POLICY, START)
    assert found is not None
    assert (found.source, found.mean) == (EvidenceSource.LIVE, Decimal("-0.02"))
    few = Evidence("trend", "1", (*tested, *(replace(one, results=29) for one in live)))
    found = expectation_of(few, POLICY, START)
    assert found is not None
    assert found.source is EvidenceSource.BACKTEST


@given(
    st.decimals("-0.5", "0.5", places=4),
    st.decimals("0", "0.5", places=4),
    st.integers(30, 10_000),
    st.integers(1, 10_000),
)
def test_more_results_move_the_expectation_from_zero_towards_the_mean(
    mean: Decimal, deviation: Decimal, number: int, more: int
) -> None:
    one = expectation_of(an_evidence(str(mean), number, str(deviation)), POLICY, START)
    other = expectation_of(an_evidence(str(mean), number + more, str(deviation)), POLICY, START)
    assert one is not None
    assert other is not None
    assert abs(one.expected) <= abs(other.expected) <= abs(mean)
    assert one.expected * mean >= 0
    assert other.spread <= one.spread
