"""The replay is the same each time, keeps books like the exchange's, and its judge can say no."""

from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from types import SimpleNamespace

import pytest

from models.trading.account.facts import EnterTrade
from models.trading.verdicts import Check, Verdict
from tests.models.trading.trading_builders import a_plan
from tests.rules.candles import bars
from tests.rules.judge import checks, report, wrong_evidence
from tests.rules.world import World

DAYS = 3


class Basis(StrEnum):
    EVIDENCE = "evidence"
    UNPROVEN = "unproven"
    TARGET = "target"


def an_entry(basis: Basis | None, *worth: Check, source: str = "idea/x") -> EnterTrade:
    plan = replace(a_plan(), source=source)
    # The field is another's to define; here it only has to be there.
    shown = SimpleNamespace(number=plan.number, source=source, basis=basis)
    return EnterTrade(shown, Verdict(worth))  # type: ignore[arg-type]


def worth(figure: str | None, limit: str, code: str = "not-worth-costs") -> Check:
    value = None if figure is None else Decimal(figure)
    return Check("R-6", code, passed=True, reason="a test", figure=value, limit=Decimal(limit))


@pytest.mark.parametrize(
    ("entry", "is_right"),
    [
        (an_entry(Basis.EVIDENCE, worth("0.03", "0.02")), True),
        (an_entry(Basis.EVIDENCE, worth("0.01", "0.02")), False),
        (an_entry(Basis.EVIDENCE, worth("-0.01", "-0.02")), False),
        (an_entry(Basis.EVIDENCE, worth(None, "0.02")), False),
        (an_entry(Basis.EVIDENCE), False),
        (an_entry(Basis.UNPROVEN, worth(None, "0", "unproven")), True),
        (an_entry(Basis.UNPROVEN, worth("0.03", "0.02")), False),
        (an_entry(Basis.TARGET, worth("0.03", "0.02")), False),
        (an_entry(None, worth("0.03", "0.02")), False),
        (an_entry(None, source="request/1"), True),
    ],
)
def test_an_entry_of_a_strategy_rests_on_evidence_or_is_marked(
    entry: EnterTrade, is_right: bool
) -> None:
    assert (wrong_evidence(entry) == "") is is_right


@pytest.mark.recordings
def test_the_same_candles_give_the_same_trades_and_the_books_are_the_exchanges() -> None:
    first, second = played(), played()
    assert first.seen.settled, "a replay without trades shows nothing"
    assert report(first, Decimal(DAYS)) == report(second, Decimal(DAYS))
    broken = checks(first)
    assert broken["the account's books are those of the exchange"] == []
    assert broken["no entry without a verdict that allows it"] == []


def played() -> World:
    world = None
    for at, closed in bars(DAYS):
        world = world or World(at)
        world.play(at, closed)
    assert world is not None
    return world
