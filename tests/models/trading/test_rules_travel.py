"""What the rules carry from decision to decision is the same after a journey as JSON."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from models.trading.capital.days import DayFigures, close_day
from models.trading.capital.flows import NavPoint
from models.trading.exits.rules import ExitPositionState, ExitRules, PartialTake
from models.trading.governance.approval import ApprovalRequest
from models.trading.governance.subjects import Subject
from models.trading.hedge.book import HedgeBook, HedgeClaim
from models.trading.hedge.override import HedgeOverride
from models.trading.hedge.target import HedgeState
from models.trading.risk.drawdown import mark, note_flow, start
from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.risk.portfolio import LossStreak, PortfolioLimits
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.reading import account_rules, platform_rules
from models.trading.settings.versions import default_version
from models.trading.universe.compliance import ComplianceRules, PegWatch
from models.trading.universe.correlation import CorrelationSettings, correlate
from models.trading.universe.pairs import PairFacts, Universe, UniverseRules, propose
from tests.models.trading.trading_builders import START, an_instrument

LATER = START + timedelta(days=1)
DOWN = mark(start(Decimal(1000), date(2026, 1, 5), START), DrawdownLimits(), Decimal(700), LATER)
CARRIED: dict[str, Callable[[], Any]] = {
    "drawdown": lambda: note_flow(DOWN.state, Decimal("12.34"), Decimal(700)),
    "daily record": lambda: close_day(
        DOWN.state, DayFigures(Decimal(700)), LATER, date(2026, 1, 6)
    ),
    "loss streak": lambda: LossStreak(3, START),
    "portfolio limits": lambda: PortfolioLimits(bucket_shares={"meme": Decimal("0.05")}),
    "approval": lambda: ApprovalRequest("a", Subject.ENTRY, "Dora", "", START, LATER, Decimal(5)),
    "hedge": lambda: HedgeState(Decimal("0.3"), HedgeOverride(Decimal(1), "Dora", "x", START)),
    "hedge book": lambda: HedgeBook({7: HedgeClaim("BTC", Decimal(1))}, Decimal(9)),
    "exit rules": lambda: ExitRules(
        Decimal(95),
        hold_maximum=timedelta(hours=3),
        partials=(PartialTake(Decimal("0.1"), Decimal("0.5")),),
    ),
    "exit position": lambda: ExitPositionState(
        an_instrument(), Decimal(1), Decimal(1), Decimal(1), START, Decimal(1), Decimal(1)
    ),
    "pegs": lambda: PegWatch({"USDC": Decimal("0.9")}, frozenset({"USDC"})),
    "compliance": lambda: ComplianceRules(frozenset({"BTC/USD"})),
    "universe proposal": lambda: propose(
        [PairFacts(an_instrument(), Decimal(10**9), 999, Decimal(0))], Universe(), UniverseRules()
    ),
    "correlations": lambda: correlate({"A/USD": [], "B/USD": []}, CorrelationSettings()),
    "value": lambda: NavPoint(START, Decimal("1.10")),
    "account rules": lambda: account_rules(default_version("company", SettingScope.ACCOUNT)),
    "platform rules": lambda: platform_rules(
        default_version("platform", SettingScope.PLATFORM), frozenset({"BTC/USD"})
    ),
}


@pytest.mark.parametrize("name", CARRIED)
def test_what_is_carried_comes_back_equal(name: str) -> None:
    value = CARRIED[name]()
    adapter = TypeAdapter(type(value))
    assert adapter.validate_json(adapter.dump_json(value)) == value
