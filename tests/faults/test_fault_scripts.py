"""The suite's own logic: what is planned, judged, measured and shrunk."""

import json
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest

from tests.faults.catalogue import CASES, KILL_STEPS, KINDS, PROCESSES, Rule
from tests.faults.exchange import Slice
from tests.faults.judge import judge, ledger_difference
from tests.faults.life import Outcome
from tests.faults.report import is_good, percentile, summarise
from tests.faults.report import words as report_words
from tests.faults.scripts import KILL, LANES, MOST_ROWS, Plan, Script, load
from tests.faults.shrink import shrink
from tests.faults.watcher import Watched, longest

ONE, MINIMUM = Decimal(1), Decimal("0.1")


def an_order(order_id: str, side: str, **changes: Any) -> dict[str, Any]:
    order = {
        "order_id": order_id,
        "client_order_id": f"id-{order_id}",
        "symbol": "BTC/USD",
        "side": side,
        "order_type": "market",
        "status": "closed",
        "quantity": "1",
        "filled_quantity": "1",
    }
    return {**order, **changes}


def a_fill(order_id: str, side: str, quantity: str = "1") -> dict[str, Any]:
    return {"order_id": order_id, "side": side, "quantity": quantity, "symbol": "BTC/USD"}


def a_stop(**changes: Any) -> dict[str, Any]:
    resting = {"order_type": "stop-loss", "status": "open", "filled_quantity": "0"}
    return an_order("S", "sell", **{**resting, **changes})


def scripts(plan: Plan, waves: int) -> list[Script]:
    return [script for wave in islice(plan.waves(), waves) for script in wave]


def test_same_seed_plans_the_same_scripts_and_another_seed_others() -> None:
    assert scripts(Plan(7, 0.3), 20) == scripts(Plan(7, 0.3), 20)
    assert scripts(Plan(7, 0.3), 20) != scripts(Plan(8, 0.3), 20)


def test_each_script_is_found_again_by_its_number_and_its_description() -> None:
    for script in scripts(Plan(3, 0.5), 10):
        assert Plan(3, 0.5).script(script.index) == script
        assert load(json.dumps(script.describe())) == script


@pytest.mark.parametrize("seed", range(1, 6))
def test_six_hundred_trades_meet_every_fault_on_every_step(seed: int) -> None:
    plan = Plan(seed, kills=0.5)
    assert {s.meeting for s in scripts(plan, 200)} == plan.meetings


def test_enough_trades_meet_every_fault_on_every_step() -> None:
    met = {(s.kind, s.step) for s in scripts(Plan(1), 700)}
    assert met == {(case.kind, case.step) for case in CASES}
    assert {kind for kind, _ in met} == set(KINDS)


def test_enough_kills_meet_every_process_at_every_step() -> None:
    met = {(s.kills[0], s.step) for s in scripts(Plan(1, kills=1.0), 80)}
    assert met == {(process, step) for process in PROCESSES for step in KILL_STEPS}


@pytest.mark.parametrize("rows", range(1, MOST_ROWS + 1))
def test_wave_has_trades_of_each_account_in_pairs_of_their_own(rows) -> None:
    waves = list(islice(Plan(5, 0.3, rows=rows).waves(), 50))
    indexes = [script.index for wave in waves for script in wave]
    assert indexes == list(range(len(indexes)))
    for wave in waves:
        assert len({script.account for script in wave}) == LANES
        assert len({script.symbol for script in wave}) == len(wave)
        assert len(wave) == (LANES * rows if wave[0].kind == KILL else LANES)
        if wave[0].kind == KILL:
            assert len({(script.step, script.kills) for script in wave}) == 1


def test_rules_strike_no_other_account_unless_everybody_is_meant() -> None:
    for case in CASES:
        for rule in case.rules:
            aimed = rule.aimed_at("company", "BTC/USD")
            assert "$" not in aimed.match.values()
            assert case.strikes_all or {"account", "pair"} & rule.match.keys()


def test_bought_and_sold_trade_is_clean() -> None:
    found = Slice(
        [an_order("E", "buy"), an_order("X", "sell")], [a_fill("E", "buy"), a_fill("X", "sell")]
    )
    assert judge(found, ONE, MINIMUM, {"bought": "1", "sold": "1"}).clean


def test_second_entry_is_a_duplicate() -> None:
    found = Slice([an_order("E", "buy"), an_order("F", "buy", status="canceled")], [])
    assert judge(found, ONE, MINIMUM, None).duplicates == 1


def test_selling_more_than_was_bought_is_a_duplicate() -> None:
    found = Slice([], [a_fill("E", "buy"), a_fill("X", "sell"), a_fill("Y", "sell")])
    assert judge(found, ONE, MINIMUM, {"bought": "1", "sold": "2"}).duplicates == 1


def test_order_that_lives_on_after_its_trade_is_an_orphan() -> None:
    assert judge(Slice([a_stop()], []), ONE, MINIMUM, None).orphans == 1


def test_fill_that_was_not_booked_is_lost_and_what_is_held_is_left() -> None:
    verdict = judge(Slice([], [a_fill("E", "buy")]), ONE, MINIMUM, None)
    assert (verdict.lost_fills, verdict.left) == (1, ONE)


@pytest.mark.parametrize("row", [None, {"bought": "0", "sold": "0", "phase": "settled"}])
def test_position_whose_trade_is_over_has_no_owner_and_fails_the_run(row) -> None:
    script = scripts(Plan(1), 1)[0]
    verdict = judge(Slice([], [a_fill("E", "buy")]), ONE, MINIMUM, row)
    assert verdict.unowned == 1
    assert any("nobody owns 1" in words for words in verdict.words)
    found = summarise([Outcome(script, verdict=verdict)], 0, [], {"seconds": 0})
    assert found["unowned"] == 1
    assert "without owner 1" in report_words(found)
    assert not is_good(found)


def test_position_of_an_open_trade_has_an_owner() -> None:
    open_trade = {"bought": "1", "sold": "0", "phase": "open"}
    assert judge(Slice([], [a_fill("E", "buy")]), ONE, MINIMUM, open_trade).unowned == 0


def test_balances_are_compared_with_ours_and_with_the_ledger() -> None:
    theirs: dict[str, Any] = {
        "balances": {"USD": {"total": "90"}, "BTC": {"total": "1"}},
        "ledger": [
            {"asset": "USD", "amount": "90.5", "fee": "0.5"},
            {"asset": "BTC", "amount": "1", "fee": "0"},
        ],
    }
    assert ledger_difference(theirs, {"USD": "90.0005", "BTC": "1"}) == 0
    assert ledger_difference(theirs, {"USD": "90", "BTC": "2"}) == 1
    theirs["ledger"] = []
    assert ledger_difference(theirs, {"USD": "90", "BTC": "1"}) == 90


def test_stretch_without_protection_lasts_from_look_to_look() -> None:
    watched = Watched("company", "BTC/USD", MINIMUM, frozenset())
    bare = Slice([], [a_fill("E", "buy")])
    watched.note(bare, 1.0)
    watched.note(bare, 2.0)
    watched.note(Slice([a_stop()], [a_fill("E", "buy")]), 3.5)
    watched.note(bare, 5.0)
    watched.finish(6.0)
    assert watched.spans == [(1.0, 3.5), (5.0, 6.0)]
    assert longest(watched.spans, []) == 2.5
    assert longest(watched.spans, [(1.5, 3.0)]) == 1.0


@pytest.mark.parametrize(("share", "value"), [(0.5, 3.0), (0.99, 5.0), (1.0, 5.0), (0.01, 1.0)])
def test_percentile_is_the_nearest_rank(share: float, value: float) -> None:
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], share) == value
    assert percentile([], share) is None


def test_shrinking_finds_the_one_rule_and_the_fewest_hits_that_fail() -> None:
    lost = Rule("lost_before", {"method": "AddOrder"}, 0, 10)
    beside = Rule("lost_before", {"method": "OpenOrders"}, 0, 9)
    base = next(s for s in scripts(Plan(1), 50) if s.order_type == "limit")
    script = replace(base, rules=(lost, beside), amends=True, step="entry")

    def fails(tried: Script) -> bool:
        return any(r.match == lost.match and (r.count or 0) >= 2 for r in tried.rules)

    shortest = shrink(script, fails, trials=100)
    assert shortest.rules == (Rule("lost_before", {"method": "AddOrder"}, 0, 2),)
    assert (shortest.order_type, shortest.amends) == ("market", False)


def test_what_fails_without_any_fault_is_shrunk_to_no_fault() -> None:
    script = next(s for s in scripts(Plan(1, kills=1.0), 1))
    assert shrink(script, lambda _: True).kills == ()
