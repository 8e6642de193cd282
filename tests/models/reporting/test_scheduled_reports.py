"""Scheduled reports: figures worked out by hand, and what is unknown stays unknown."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reporting import scheduled
from models.reporting.costs import SettledTrade
from models.reporting.documents import (
    ReportDocument,
    Section,
    Table,
    as_json,
    csv_of,
    html_of,
)
from models.reporting.lots import Gain
from models.reporting.scheduled import Comparison, JudgedIdea

D = Decimal
AT = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)


def a_trade(**changed):
    usual = {
        "symbol": "BTC/USD", "strategy": "trend", "entry_result": "took", "decided_at": AT,
        "profit": D(10), "fees": D(4), "slippage": D(1), "turnover": D(1000),
        "maker_share": D("0.5"), "fees_saved": D(2), "executions": 3, "unmeasured": 1,
        "unprotected_seconds": D(2), "spread": D("0.5"), "order_type": "limit, takes at once",
    }  # fmt: skip
    return SettledTrade(**{**usual, **changed})


def facts(section):
    return dict(section.facts)


def test_costs_by_hand():
    trades = [
        a_trade(),
        a_trade(symbol="ETH/USD", turnover=D(3000), slippage=D(-2), fees=D(12), maker_share=D(1)),
    ]
    whole, pairs, _, types, hours = scheduled.cost_sections(trades)
    assert facts(whole)["Slippage bp"] == D("-2.50")
    assert facts(whole)["Cost of turnover"] == D("0.00375")
    assert "2 of 6 executions" in whole.note
    assert [row[0] for row in pairs.table.rows] == ["BTC/USD", "ETH/USD"]
    assert pairs.table.rows[0][5:9] == (D("10.00"), D("0.5"), D("0.005"), D("0.5"))
    assert facts(whole)["Spread USD"] == D(1)
    assert [row[0] for row in types.table.rows] == ["limit, takes at once"]
    assert [row[0] for row in hours.table.rows] == ["14:00"]


def test_no_trade_has_no_share_of_anything():
    whole, *_ = scheduled.cost_sections([])
    assert facts(whole)["Slippage bp"] is None
    assert facts(whole)["Cost of turnover"] is None


def test_unknown_basis_makes_no_sum():
    known = Gain("BTC", D(1), AT, "a", AT, "b", D(10), D(8))
    unknown = Gain("ETH", D(1), None, None, AT, "c", D(10), None)
    assert facts(scheduled.lot_sections([], [known])[0])["Gain USD"] == D(2)
    found = scheduled.lot_sections([], [known, unknown])[0]
    assert facts(found)["Gain USD"] is None
    assert "1 of 2" in found.note


def test_books_that_were_not_compared_are_not_called_clean():
    found = scheduled.reconciliation_sections([])[0]
    assert "is not known" in found.note
    rows = [
        Comparison(AT, True, True, (), (), 0),
        Comparison(AT, True, False, ("balances",), ("fills",), 2),
    ]
    summary, table = scheduled.reconciliation_sections(rows)
    assert facts(summary)["Clean"] == 1
    assert table.table.rows == ((AT, "balances", "fills", 2),)


def test_health_of_orders():
    seconds = [D(n) / 10 for n in range(1, 21)]
    orders, refused = scheduled.health_sections(seconds, ["funds", "funds", "size"], [], [])
    assert facts(orders)["Latency s, median"] == D(1)
    assert facts(orders)["Latency s, p95"] == D("1.9")
    assert refused.table.rows == (("funds", 2), ("size", 1))
    assert facts(scheduled.health_sections([], [], [], [])[0])["Latency s, median"] is None


def test_explanation_says_what_came_of_ideas():
    ideas = [
        JudgedIdea("trend", "BTC/USD", True, ""),
        JudgedIdea("trend", "ETH/USD", False, "R-6 not-worth-it"),
    ]
    section, reasons = scheduled.explanation_sections(ideas, [a_trade(profit=D(-3))])
    assert section.note == (
        "Of 2 ideas 1 were taken. 1 trades ended, 0 of them with a profit; together they lost "
        "3.00 USD after fees."
    )
    assert section.table.rows == (("trend", 2, 1, 1, 1, D(-3)),)
    assert reasons.table.rows == (("R-6 not-worth-it", 1),)
    assert "No strategy had an idea" in scheduled.explanation_sections([], [])[0].note


def test_spread_that_was_not_recorded_is_not_known():
    whole, *_ = scheduled.cost_sections([a_trade(), a_trade(spread=None, order_type="")])
    assert facts(whole)["Spread USD"] is None
    assert "not known of 1 of 2 trades" in whole.note


@given(st.lists(st.decimals(0, 100, places=3), min_size=1), st.integers(1, 100))
def test_percentile_is_one_of_the_values_and_bounds_its_share(values, rank):
    found = scheduled.percentile(values, rank)
    assert found in values
    assert sum(value <= found for value in values) * 100 >= rank * len(values)


def test_document_is_the_same_in_every_form():
    section = Section(
        "<Costs>", "a & b", (("Fees", D("1E-8")), ("Gone", None)),
        Table(("Pair", "Note"), (("BTC/USD", "=HYPERLINK(1)"), ("ETH/USD", D(-5)))),
    )  # fmt: skip
    stored = json.loads(
        json.dumps(as_json(ReportDocument("costs", "Costs", "a", AT, AT, (section,))))
    )
    assert stored["sections"][0]["facts"] == [["Fees", "0.00000001"], ["Gone", None]]
    page = html_of(stored)
    assert "&lt;Costs&gt;" in page
    assert "<script" not in page
    assert "not known" in page
    rows = list(csv.reader(io.StringIO(csv_of(stored))))
    assert ["BTC/USD", "'=HYPERLINK(1)"] in rows
    assert ["ETH/USD", "-5"] in rows


@pytest.mark.parametrize("value", [D("NaN"), D("Infinity")])
def test_what_is_no_number_is_not_known(value):
    stored = as_json(ReportDocument("k", "t", "a", AT, AT, (Section("s", facts=(("f", value),)),)))
    assert stored["sections"][0]["facts"] == [["f", None]]
