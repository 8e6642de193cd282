"""The weekly report on learning says who decides, what came of it, and what is not known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from models.reporting.documents import ReportDocument, as_json, csv_of, html_of
from models.reporting.learning import Decision, LearningFacts, learning_sections

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
NOTHING = LearningFacts([("no-trade", MONDAY, "aether", "the default")], [], [], [], [], [])


def decision(day: int, *, taken: bool, net: str | None, **changes) -> Decision:
    values = {
        "bar_start": MONDAY + timedelta(days=day), "version": 2, "regime": "bullish (80%)",
        "probability": Decimal("0.6"), "taken": taken, "refusal": "",
        "net": None if net is None else Decimal(net),
        "contributions": {"trend": 0.5, "volume": -1.0},
    }  # fmt: skip
    return Decision(**values | changes)


BUSY = LearningFacts(
    [("run-1", MONDAY, "bert", "approved"), ("no-trade", MONDAY, "aether", "the default")],
    [
        decision(0, taken=True, net="0.10"),
        decision(1, taken=False, net="-0.05"),
        decision(2, taken=True, net="-0.04", regime=""),
        decision(3, taken=True, net=None),
        decision(4, taken=False, net=None, probability=None, refusal="stale", contributions={}),
    ],
    [("run-1", "anna", "committee", True, []), ("run-1-rl", "anna", "rl", False, ["track_record"])],
    [("run-1", 40, "")],
    [(MONDAY, 12, 1)],
    [(3, "BTC/USD", "equity_share", Decimal("12.50"))],
)


def sections(facts: LearningFacts):
    return {one.title: one for one in learning_sections(facts)}


def test_quiet_week_says_what_is_not_known():
    found = sections(NOTHING)
    assert "No trade is champion" in found["Who decides"].note
    assert "no idea" in found["What it decided"].note
    assert "not known" in found["What was checked"].note
    assert "locked" in found["What was tried last"].note


def test_figures_are_of_known_outcomes_only():
    found = sections(BUSY)
    decided = dict(found["What it decided"].facts)
    assert decided["Ideas"] == 5
    assert decided["Could not be judged"] == 1
    assert decided["Outcomes known"] == 3
    assert decided["Share that was profitable"] == Decimal("0.333333")
    assert decided["Mean net result of what it took"] == Decimal("0.03")
    # (0.6 - 1)^2, (0.6 - 0)^2 twice.
    assert decided["Brier score"] == round(Decimal("0.88") / 3, 6)
    course = found["What came of it"].table.rows
    assert [row[1:] for row in course] == [
        (Decimal("0.10"), Decimal("0.10")),
        (Decimal("0.10"), Decimal("0.05")),
        (Decimal("0.06"), Decimal("0.01")),
    ]
    assert {row[0] for row in found["By regime"].table.rows} == {"bullish", "not known"}
    assert found["What moved its probabilities"].table.rows[0][0] == "volume"
    assert "not of the market" in found["What moved its probabilities"].note
    assert "40 trades, passed" in found["What was tried last"].note
    assert "1 differed" in found["What was checked"].note


def test_the_page_draws_what_came_of_it():
    document = ReportDocument(
        "learning", "Learning", "company", MONDAY, MONDAY, learning_sections(BUSY)
    )
    kept = as_json(document)
    page = html_of(kept)
    assert page.count("<polyline") == 2
    assert "All ideas of the primary rule" in page
    assert "run-1-rl" in csv_of(kept)
    # A report that an older release has stored names no columns to draw.
    for section in kept["sections"]:
        del section["drawn"]
    assert "<polyline" not in html_of(kept)
