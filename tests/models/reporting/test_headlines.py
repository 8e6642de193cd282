"""The line that tells of a report: its main figures, and which of them are not known."""

import json

import pytest

from models.contracts.reports import REPORTS
from models.reporting import account_sections, scheduled
from models.reporting.headlines import LONGEST, MAIN, headline_of
from models.reporting.performance import Benchmarks

EMPTY = {
    "daily": account_sections.daily_sections([]),
    "trades": account_sections.trade_sections([]),
    "risk": account_sections.risk_sections([], [], []),
    "hedge": account_sections.hedge_sections([]),
    "performance": account_sections.performance_sections([], [], Benchmarks(None, None)),
    "costs": scheduled.cost_sections([]),
    "lots": scheduled.lot_sections([], []),
    "reconciliation": scheduled.reconciliation_sections([]),
    "health": scheduled.health_sections([], [], [], []),
}


def a_document(kind, facts=(), note=""):
    sections = [{"title": "t", "note": note, "facts": [list(one) for one in facts], "table": None}]
    return json.loads(json.dumps({"kind": kind, "sections": sections}))


def test_kinds_are_those_that_are_made():
    assert set(MAIN) <= set(REPORTS)
    assert set(EMPTY) == set(MAIN)


@pytest.mark.parametrize("kind", MAIN)
def test_every_main_figure_is_a_fact_of_its_report(kind):
    names = {name for name, _ in EMPTY[kind][0].facts}
    assert {name for name, _ in MAIN[kind]} <= names


def test_figures_are_told_in_their_units():
    facts = (("Return", "0.05123"), ("Holding what was held", None), ("Holding Bitcoin", "-0.1"))
    assert headline_of(a_document("performance", facts)) == (
        "Return 5.12 %, Holding what was held not known, Holding Bitcoin -10.00 %, "
        "Deepest fall not known"
    )
    money = (("Gain USD", "1234.567"), ("Disposals", 2))
    assert headline_of(a_document("lots", money)) == "Gain 1234.57 USD, Disposals 2"


def test_kind_without_figures_is_told_by_its_words():
    told = headline_of(a_document("explanation", note="Of 2 ideas 1 were taken." * 100))
    assert told.startswith("Of 2 ideas 1 were taken.")
    assert len(told) == LONGEST
