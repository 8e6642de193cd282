"""Pairs that pass the rules and that people allowed take entries; what left stays protected."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.instruments import InstrumentStatus
from models.trading.universe.changes import (
    UniverseChange,
    apply_change,
    check_entry,
    finish_leaving,
    judge_universe_change,
    keeps_protection,
    refresh,
)
from models.trading.universe.pairs import (
    PairFacts,
    Standing,
    Universe,
    UniverseRules,
    bucket_of,
    first_universe,
    judge_pair,
    propose,
    rules_of_own_market,
)
from tests.models.trading.trading_builders import START, an_instrument

RULES = UniverseRules(excluded=frozenset({"USDT"}), buckets={"BTC": "major"})
GOOD = PairFacts(an_instrument(), Decimal(10**8), 365, Decimal("0.0001"))


def facts(symbol: str, **changes: object) -> PairFacts:
    made = replace(GOOD, instrument=an_instrument(symbol))
    return replace(made, **changes)  # type: ignore[arg-type]


def a_change(universe: Universe, **changes: object) -> UniverseChange:
    made = UniverseChange(universe.version + 1, "Dora", "Emil", "monthly review", START)
    return replace(made, **changes)  # type: ignore[arg-type]


def of(*symbols: str) -> Universe:
    start = Universe()
    proposal = propose([facts(s) for s in symbols], start, RULES)
    return apply_change(start, proposal, a_change(start, joins=symbols), ())


@pytest.mark.parametrize(
    ("pair", "code"),
    [
        (facts("BTC/EUR"), "not-usd-spot"),
        (
            replace(GOOD, instrument=an_instrument(status=InstrumentStatus.CANCEL_ONLY)),
            "pair-not-trading",
        ),
        (facts("USDT/USD"), "excluded-asset"),
        (facts("BTC/USD", daily_volume=Decimal(999_999)), "too-illiquid"),
        (facts("BTC/USD", daily_volume=None), "too-illiquid"),
        (facts("BTC/USD", spread_share=Decimal("0.006")), "too-illiquid"),
        (facts("BTC/USD", history_days=89), "history-too-short"),
        (facts("BTC/USD", history_days=None), "history-too-short"),
    ],
)
def test_each_rule_keeps_a_pair_out(pair: PairFacts, code: str) -> None:
    assert judge_pair(GOOD, RULES).allowed
    least = PairFacts(an_instrument(), Decimal(1_000_000), 90, Decimal("0.005"))
    assert judge_pair(least, RULES).allowed
    assert [check.code for check in judge_pair(pair, RULES).failures] == [code]


def test_the_first_universe_is_what_passes_the_rules_and_says_why_the_rest_does_not() -> None:
    listed = [
        facts("BTC/USD"),
        facts("ETH/USD", daily_volume=Decimal(999_999)),
        facts("XRP/USD", spread_share=None),
        facts("SOL/USD", history_days=None),
    ]
    universe, said = first_universe(listed, RULES)
    assert (universe.version, universe.allowed) == (1, {"BTC/USD"})
    assert universe.buckets == {"BTC/USD": "major"}
    assert said.based_on == 1
    assert said.is_empty
    codes = {symbol: [c.code for c in said.verdicts[symbol].failures] for symbol in said.verdicts}
    assert codes == {
        "BTC/USD": [],
        "ETH/USD": ["too-illiquid"],
        "XRP/USD": ["too-illiquid"],
        "SOL/USD": ["history-too-short"],
    }
    assert first_universe([facts("BTC/USD")], RULES, {"BTC": "SDN-1"})[0].allowed == frozenset()


def test_a_market_of_our_own_has_no_young_pairs_and_wide_ones_all_the_same() -> None:
    young = facts("BTC/USD", history_days=0)
    own = rules_of_own_market(RULES)
    assert judge_pair(young, own).allowed
    assert judge_pair(replace(young, daily_volume=Decimal(0)), own).allowed
    assert not judge_pair(replace(young, spread_share=None), own).allowed
    assert not judge_pair(replace(young, daily_volume=None), own).allowed


def test_a_proposal_names_who_comes_and_who_goes_and_changes_nothing_itself() -> None:
    universe = of("BTC/USD", "ETH/USD", "SOL/USD")
    listed = [facts("BTC/USD"), facts("ETH/USD", history_days=3), facts("XRP/USD")]
    proposal = propose(listed, universe, RULES)
    assert [pair.symbol for pair in proposal.join] == ["XRP/USD"]
    assert proposal.leave == ("ETH/USD", "SOL/USD")
    assert not proposal.is_empty
    assert not propose([facts(s) for s in ("BTC/USD", "ETH/USD")], universe, RULES).is_empty
    assert [c.code for c in proposal.verdicts["ETH/USD"].failures] == ["history-too-short"]
    assert propose([facts(s) for s in universe.pairs], universe, RULES).is_empty


def test_buckets_are_set_by_people_or_by_volume() -> None:
    assert bucket_of("BTC", Decimal(0), RULES) == "major"
    assert bucket_of("ETH", Decimal(10**8), RULES) == "large"
    assert bucket_of("XYZ", Decimal(10), RULES) == "small"
    assert of("BTC/USD", "ETH/USD").buckets == {"BTC/USD": "major", "ETH/USD": "large"}


def test_a_pair_that_left_takes_no_entries_and_is_protected_while_held() -> None:
    universe = of("BTC/USD", "ETH/USD", "SOL/USD")
    proposal = propose([facts("BTC/USD")], universe, RULES)
    change = a_change(universe, leaves=("ETH/USD", "SOL/USD"))
    assert judge_universe_change(universe, proposal, change).allowed
    left = apply_change(universe, proposal, change, held={"ETH/USD"})
    assert left.version == universe.version + 1
    assert left.allowed == {"BTC/USD"}
    assert left.pairs["ETH/USD"].standing is Standing.LEAVING
    assert [check_entry(left, s).passed for s in ("BTC/USD", "ETH/USD", "SOL/USD")] == [
        True,
        False,
        False,
    ]
    assert [keeps_protection(left, s) for s in ("ETH/USD", "SOL/USD")] == [True, False]
    assert "ETH/USD" in finish_leaving(left, {"ETH/USD"}).pairs
    assert set(finish_leaving(left, ()).pairs) == {"BTC/USD"}
    back = propose([facts("BTC/USD"), facts("ETH/USD")], left, RULES)
    assert [pair.symbol for pair in back.join] == ["ETH/USD"]


def test_a_change_needs_another_person_a_reason_and_the_present_version() -> None:
    universe = of("BTC/USD")
    proposal = propose([facts("BTC/USD"), facts("ETH/USD")], universe, RULES)
    for changes, code in (
        ({"approved_by": "dora"}, "second-person-needed"),
        ({"reason": " "}, "invalid-change"),
        ({"version": 1}, "outdated-change"),
        ({"joins": ("XRP/USD",)}, "invalid-change"),
        ({"leaves": ("ETH/USD",)}, "invalid-change"),
    ):
        verdict = judge_universe_change(universe, proposal, a_change(universe, **changes))
        assert [check.code for check in verdict.failures] == [code]


def test_minimums_and_status_follow_the_exchange() -> None:
    universe = of("BTC/USD", "ETH/USD")
    changed = an_instrument(quantity_minimum=Decimal(1), status=InstrumentStatus.LIMIT_ONLY)
    seen = refresh(universe, {"BTC/USD": changed})
    assert seen.pairs["BTC/USD"].quantity_minimum == 1
    assert seen.pairs["BTC/USD"].status is InstrumentStatus.LIMIT_ONLY
    assert seen.pairs["ETH/USD"].status is InstrumentStatus.UNKNOWN


SYMBOLS = st.sets(st.sampled_from([f"{a}/USD" for a in "ABCDEF"]))


@given(st.lists(st.tuples(SYMBOLS, SYMBOLS), max_size=6))
def test_what_is_held_is_never_without_protection(steps: list[tuple[set[str], set[str]]]) -> None:
    universe, held = Universe(), set()
    for good, wanted in steps:
        proposal = propose([facts(s) for s in good], universe, RULES)
        joins = tuple(pair.symbol for pair in proposal.join)
        change = a_change(universe, joins=joins, leaves=proposal.leave)
        assert judge_universe_change(universe, proposal, change).allowed
        universe = finish_leaving(apply_change(universe, proposal, change, held), held)
        assert universe.allowed == good
        held |= {s for s in wanted if check_entry(universe, s).passed}
        assert all(keeps_protection(universe, s) for s in held)
