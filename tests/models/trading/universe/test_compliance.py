"""Only spot pairs in USD that people allowed are bought, and each refusal has its own code."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.universe.compliance import (
    ComplianceRules,
    ComplianceSubject,
    PegWatch,
    check_peg,
    judge_compliance,
    note_peg,
)

RULES = ComplianceRules(
    universe=frozenset({"BTC/USD", "XMR/USD", "USDC/USD", "USDT/USD", "BTC/EUR"}),
    sanctioned=frozenset({"xmr", "TORN"}),
)
PEGS = note_peg(PegWatch(), RULES, "USDC", Decimal("0.9995"))


@pytest.mark.parametrize(
    ("subject", "codes"),
    [
        (ComplianceSubject("BTC/USD"), []),
        (ComplianceSubject("BTC/USD", leverage=Decimal(1)), []),
        (ComplianceSubject("BTC/USD", leverage=Decimal(2)), ["not-spot"]),
        (ComplianceSubject("BTC/USD", market="futures"), ["not-spot"]),
        (ComplianceSubject("BTC/EUR"), ["not-usd-spot"]),
        (ComplianceSubject("USD/USD"), ["not-usd-spot", "not-in-universe"]),
        (ComplianceSubject("BTCUSD"), ["not-usd-spot", "not-in-universe"]),
        (ComplianceSubject("ETH/USD"), ["not-in-universe"]),
        (ComplianceSubject("XMR/USD"), ["sanctioned-asset"]),
        (ComplianceSubject("TORN/USD"), ["not-in-universe", "sanctioned-asset"]),
        (ComplianceSubject("USDC/USD"), []),
        (ComplianceSubject("USDT/USD"), ["stablecoin-off-peg"]),
    ],
)
def test_each_rule_refuses_with_its_own_code(subject: ComplianceSubject, codes: list[str]) -> None:
    verdict = judge_compliance(subject, RULES, PEGS)
    assert [check.code for check in verdict.failures] == codes
    assert all(check.reason for check in verdict.checks)


def test_the_tolerance_itself_is_within_it() -> None:
    pegs = note_peg(PegWatch(), RULES, "USDC", Decimal("0.99"))
    assert judge_compliance(ComplianceSubject("USDC/USD"), RULES, pegs).allowed


def test_a_stablecoin_is_off_beyond_the_tolerance_and_back_within_the_return_band() -> None:
    seen = []
    pegs = PegWatch()
    for price in ("1.0", "0.985", "0.992", "0.996", "1.02"):
        pegs = note_peg(pegs, RULES, "USDC", Decimal(price))
        seen.append(judge_compliance(ComplianceSubject("USDC/USD"), RULES, pegs).allowed)
    assert seen == [True, False, False, True, False]
    assert note_peg(pegs, RULES, "BTC", Decimal(50_000)) == pegs


@given(st.lists(st.decimals("0.9", "1.1", places=4), min_size=1, max_size=20))
def test_nothing_off_its_peg_is_ever_bought(prices: list[Decimal]) -> None:
    pegs = PegWatch()
    for price in prices:
        pegs = note_peg(pegs, RULES, "USDT", price)
        allowed = judge_compliance(ComplianceSubject("USDT/USD"), RULES, pegs).allowed
        assert not allowed or abs(price - 1) <= RULES.peg_tolerance
        assert allowed or abs(price - 1) > RULES.peg_return


@given(st.text(max_size=12), st.sampled_from(["USD", "EUR", "USDT", ""]))
def test_nothing_outside_the_universe_or_usd_passes(base: str, quote: str) -> None:
    subject = ComplianceSubject(f"{base}/{quote}")
    rules = replace(RULES, universe=frozenset({"BTC/USD", subject.symbol}))
    verdict = judge_compliance(subject, rules, PEGS)
    assert not verdict.allowed or subject.symbol.endswith("/USD")
    assert judge_compliance(subject, RULES, PEGS).allowed <= (subject.symbol in RULES.universe)


def test_price_that_is_no_number_is_no_peg() -> None:
    rules = ComplianceRules(frozenset({"USDC/USD"}))
    on = note_peg(PegWatch(), rules, "USDC", Decimal(1))
    lost = note_peg(on, rules, "USDC", Decimal("NaN"))
    assert lost.off == {"USDC"}
    check = check_peg(ComplianceSubject("USDC/USD"), rules, lost)
    assert not check.passed
    assert "no price of USDC is known" in check.reason
    assert note_peg(lost, rules, "USDC", Decimal(1)).off == frozenset()
