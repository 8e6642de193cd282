"""An account goes live only when every condition holds, and each missing one is named."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.governance.going_live import (
    NEEDED_PERMISSIONS,
    KeyFacts,
    LiveConditions,
    LiveFacts,
    LiveTerms,
    changed_terms,
    judge_going_live,
    judge_mode_switch,
    needs_live_conditions,
)
from models.trading.risk.limits import Mode
from models.trading.strategies.bootstrap import MeanBound
from tests.models.trading.trading_builders import START

CONDITIONS = LiveConditions()
READY = LiveFacts(
    key=KeyFacts(NEEDED_PERMISSIONS),
    reconciled_at=START - timedelta(minutes=10),
    differences=0,
    limits_version=3,
    requested_by="Dora",
    approved_by="Emil",
    simulated_for=timedelta(days=14),
    simulated_trades=20,
    open_orders=0,
    positions=(),
    market_is_live=True,
    net_results=MeanBound(40, Decimal("0.01"), Decimal("0.002")),
    directors=2,
    record_fault="",
)

BROKEN = {
    "no-live-key": {"key": None},
    "key-shared": {"key": KeyFacts(NEEDED_PERMISSIONS, ("director-1",))},
    "wrong-permissions": {"key": KeyFacts(NEEDED_PERMISSIONS | {"withdraw_funds"})},
    "not-reconciled": {"differences": 1},
    "not-live-market": {"market_is_live": False},
    "record-unprotected": {"record_fault": "the last cosigned checkpoint is 7 min old"},
    "limits-not-set": {"limits_version": None},
    "second-person-needed": {"approved_by": " DORA "},
    "simulation-too-short": {"simulated_for": timedelta(days=13)},
    "orders-open": {"open_orders": 2},
    "positions-open": {"positions": ("BTC/USD",)},
    "account-halted": {"halts": ("kill_switch",)},
    "no-evidence-of-profit": {"net_results": MeanBound(40, Decimal("0.01"), Decimal(0))},
    "factors-missing": {"directors_short": ("Dora",)},
    "change-frozen": {"frozen": "the week's end"},
    "request-outdated": {"outdated": "the live key"},
}


def test_all_conditions_are_shown() -> None:
    verdict = judge_going_live(READY, CONDITIONS, START)
    assert verdict.allowed
    assert len(verdict.checks) == 15
    assert all(check.reason for check in verdict.checks)


@pytest.mark.parametrize("code", BROKEN)
def test_each_missing_condition_refuses(code: str) -> None:
    verdict = judge_going_live(replace(READY, **BROKEN[code]), CONDITIONS, START)  # type: ignore[arg-type]
    codes = [check.code for check in verdict.failures]
    # Without a key nothing is known of what it may do.
    assert codes == ([code, "wrong-permissions"] if code == "no-live-key" else [code])
    assert len(verdict.checks) == 15


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": KeyFacts(None)}, "wrong-permissions"),
        ({"directors": None}, "factors-missing"),
        ({"directors": 0}, "factors-missing"),
        ({"key": KeyFacts(NEEDED_PERMISSIONS - {"cancel_orders"})}, "wrong-permissions"),
        ({"reconciled_at": START - timedelta(hours=2)}, "not-reconciled"),
        ({"reconciled_at": START + timedelta(hours=2)}, "not-reconciled"),
        ({"reconciled_at": None}, "not-reconciled"),
        ({"approved_by": None}, "second-person-needed"),
        ({"simulated_for": None}, "simulation-too-short"),
        ({"simulated_trades": 19}, "simulation-too-short"),
        ({"net_results": None}, "no-evidence-of-profit"),
        ({"net_results": MeanBound(0, None, None)}, "no-evidence-of-profit"),
        ({"net_results": MeanBound(7, Decimal("0.05"), None)}, "no-evidence-of-profit"),
        (
            {"net_results": MeanBound(40, Decimal("-0.01"), Decimal("-0.02"))},
            "no-evidence-of-profit",
        ),
    ],
)
def test_what_is_not_known_or_too_old_does_not_count(changes: dict[str, object], code: str) -> None:
    verdict = judge_going_live(replace(READY, **changes), CONDITIONS, START)  # type: ignore[arg-type]
    assert [check.code for check in verdict.failures] == [code]


def test_only_a_change_to_live_has_these_conditions() -> None:
    assert needs_live_conditions(Mode.SIMULATED, Mode.LIVE)
    assert not needs_live_conditions(Mode.LIVE, Mode.LIVE)
    assert not needs_live_conditions(Mode.LIVE, Mode.SIMULATED)
    assert not judge_mode_switch(0, ("BTC/USD",)).allowed


def test_two_people_may_go_on_without_evidence_in_writing_and_one_may_not() -> None:
    losing = MeanBound(40, Decimal("-0.01"), Decimal("-0.02"))
    written = replace(READY, net_results=losing, overrides_evidence=True)
    verdict = judge_going_live(written, CONDITIONS, START)
    assert verdict.allowed
    reason = next(c.reason for c in verdict.checks if c.code == "no-evidence-of-profit")
    assert reason == (
        "40 trades at -1.0000% net on average, lower bound -2.0000% (95 %); "
        "overridden in writing, by Dora and Emil"
    )
    for second in (None, "Dora"):
        alone = judge_going_live(replace(written, approved_by=second), CONDITIONS, START)
        codes = {check.code for check in alone.failures}
        assert codes == {"second-person-needed", "no-evidence-of-profit"}


@given(st.sets(st.sampled_from(sorted(BROKEN))))
def test_nothing_goes_live_while_one_condition_is_missing(missing: set[str]) -> None:
    facts = READY
    for code in sorted(missing):
        facts = replace(facts, **BROKEN[code])  # type: ignore[arg-type]
    assert judge_going_live(facts, CONDITIONS, START).allowed == (not missing)


def test_a_record_that_nobody_could_look_at_is_not_protected() -> None:
    verdict = judge_going_live(replace(READY, record_fault=None), CONDITIONS, START)
    assert [check.code for check in verdict.failures] == ["record-unprotected"]


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (LiveTerms("a", 3), ""),
        (LiveTerms("b", 3), "the live key"),
        (LiveTerms(None, 3), "the live key"),
        (LiveTerms("a", 4), "the limits (version 4 for 3)"),
        (LiveTerms("b", None), "the live key and the limits (version 0 for 3)"),
    ],
)
def test_what_is_another_one_than_was_agreed_to_is_named(now, said):
    assert changed_terms(LiveTerms("a", 3), now) == said
