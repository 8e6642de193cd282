"""Reports of what an account came to: figures worked out by hand, unknown ones stay unknown."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from models.reporting import account_sections
from models.reporting.account_sections import ClosedDay, HedgeReviewed
from models.reporting.costs import SettledTrade
from models.reporting.performance import Benchmarks, Measured
from models.trading.capital.flows import NavPoint

D = Decimal
AT = datetime(2026, 3, 1, tzinfo=UTC)
UNKNOWN = Benchmarks(None, None)


def a_day(number, share, profit, **changed):
    usual = {
        "worst_share": D("0.01"), "flows": D(0), "realised": None, "unrealised": None,
        "fees": D(2), "halted": False,
    }  # fmt: skip
    return ClosedDay(date(2026, 3, number), D(share), D(profit), **{**usual, **changed})


DAYS = [a_day(1, "0.1", 100), a_day(2, "-0.1", -110)]


def points(*values, flows=None):
    flows = flows or {}
    return [
        NavPoint(AT + timedelta(hours=n), D(value), D(flows.get(n, 0)))
        for n, value in enumerate(values)
    ]


def facts(section):
    return dict(section.facts)


def test_days_compound_and_fees_that_were_not_measured_make_no_sum():
    found = facts(account_sections.daily_sections(DAYS)[0])
    assert (found["Return of the closed days"], found["Profit USD"]) == (D("-0.01"), D(-10))
    assert found["Fees USD"] == D(4)
    unmeasured = [DAYS[0], a_day(2, "0", 0, fees=None)]
    assert facts(account_sections.daily_sections(unmeasured)[0])["Fees USD"] is None
    nothing = account_sections.daily_sections([])[0]
    assert facts(nothing)["Profit USD"] is None
    assert "No day was closed" in nothing.note


def test_trades_are_listed_and_summed():
    won = SettledTrade("BTC/USD", D(30), D(5), D(1), D(2000), number=7, exit_reason="target")
    lost = SettledTrade("ETH/USD", D(-10), D(5), D(1), D(2000), number=8, strategy="trend")
    summary, each = account_sections.trade_sections([won, lost])
    assert facts(summary)["Profit USD"] == D(20)
    assert facts(summary)["Gains over losses"] == D(3)
    assert [row[:3] for row in each.table.rows] == [
        (7, "BTC/USD", "by hand"), (8, "ETH/USD", "trend"),
    ]  # fmt: skip
    assert facts(account_sections.trade_sections([])[0])["Profit USD"] is None


def test_risk_by_hand():
    marks = [Measured(AT, D(100), D(50)), Measured(AT, D(100), D(80))]
    found = facts(account_sections.risk_sections(DAYS, points(100, 120, 90), marks)[0])
    assert found["Deepest fall"] == D("0.25")
    assert (found["Exposure at the end"], found["Exposure, most"]) == (D("0.2"), D("0.5"))
    assert found["Exposure, mean"] == D("0.35")
    assert (found["Worst day"], found["Losing days"]) == (D("-0.1"), 1)


def test_risk_of_nothing_is_unknown_and_says_so():
    (section,) = account_sections.risk_sections([], [], [])
    known = {name for name, value in section.facts if value is not None}
    assert known == {"Days"}
    assert "drawdown and exposure are not known" in section.note


def test_hedge_is_as_it_was_last_looked_at():
    reviews = [
        HedgeReviewed(AT, D("0.2"), D("0.3"), "reduce", D(100), D(1), D(100), D(0)),
        HedgeReviewed(AT, D("0.3"), D("0.3"), "", D(0), D(1), D(100), D(7)),
    ]
    summary, table = account_sections.hedge_sections(reviews)
    found = facts(summary)
    assert (found["In USD"], found["Profit USD"], found["Moves"]) == (D("0.3"), D(7), 1)
    assert [row[3] for row in table.table.rows] == ["reduce", "none"]
    nothing = account_sections.hedge_sections([])[0]
    assert facts(nothing)["Profit USD"] is None
    assert "was not looked at" in nothing.note


def test_performance_is_beside_holding_net_of_flows():
    against = Benchmarks(D("0.05"), D("0.02"))
    values = points(100, 110, 160, flows={2: 50})
    found = facts(account_sections.performance_sections(DAYS, values, against)[0])
    assert found["Return"] == D("0.1")
    assert found["Return beyond Bitcoin"] == D("0.05")
    assert found["Return beyond holding"] == D("0.08")
    assert found["Deepest fall"] == D(0)


def test_performance_that_was_not_measured_is_unknown():
    section, _ = account_sections.performance_sections([], points(100), UNKNOWN)
    found = facts(section)
    assert found["Return"] is None
    assert found["Return beyond holding"] is None
    assert "Fewer than two values" in section.note
    assert "not known" in section.note
