"""All rules together: whatever the market does, no limit is passed and no cash is overdrawn."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.account.entries.assessment import (
    AccountSituation,
    EntryAssessment,
    EntryQuestion,
    assess_entry,
)
from models.trading.account.entries.book_costs import BookLevel, BookView
from models.trading.account.entries.checks import check_cash, check_risk, check_stop
from models.trading.governance.approval import ApprovalPolicy
from models.trading.risk.drawdown import DrawdownState, mark, start
from models.trading.risk.drawdown_limits import PositionsOnHalt
from models.trading.risk.limits import FeeRates
from models.trading.risk.losses import begin_losses
from models.trading.risk.portfolio import PortfolioView
from models.trading.risk.sizing import unit_loss
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.reading import AccountRules, account_rules
from models.trading.settings.versions import default_version
from models.trading.universe.compliance import ComplianceRules, PegWatch
from models.trading.verdicts import Headroom
from tests.models.trading.trading_builders import (
    START,
    a_claim,
    a_market,
    an_evidence,
    an_instrument,
)

SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")
GROUPS = {"BTC/USD": "BTC/USD", "ETH/USD": "BTC/USD", "SOL/USD": "SOL/USD"}
BUCKETS = {"BTC/USD": "major", "ETH/USD": "major", "SOL/USD": "large"}
RULES = account_rules(default_version("company", SettingScope.ACCOUNT))
COMPLIANCE = ComplianceRules(frozenset(SYMBOLS))
FEES = FeeRates(Decimal("0.0025"), Decimal("0.004"))
NO_LOSSES = begin_losses(date(2026, 1, 5), Decimal(1), Decimal(100_000))


def a_question(
    symbol: str = "BTC/USD", price: Decimal = Decimal(50_000), **changes: object
) -> EntryQuestion:
    market = a_market(symbol, str(price), str(price), average_true_range=price / 50)
    made = EntryQuestion(
        an_instrument(symbol), market, price, price, price * Decimal("0.95"), a_claim()
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def a_situation(**changes: object) -> AccountSituation:
    equity = Decimal(100_000)
    made = AccountSituation(
        PortfolioView(equity, {}, GROUPS, BUCKETS),
        equity,
        start(equity, date(2026, 1, 5), START),
        PegWatch(),
        FEES,
        losses=NO_LOSSES,
        open_risk=Decimal(0),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def assessed(question: EntryQuestion, situation: AccountSituation) -> EntryAssessment:
    return assess_entry(question, situation, RULES, COMPLIANCE)


def test_an_entry_is_sized_judged_and_its_caps_named() -> None:
    outcome = assessed(a_question(), a_situation(hedge_target=Decimal("0.3")))
    assert outcome.verdict.allowed
    assert outcome.sizing is not None
    assert outcome.sizing.binding.name == "risk"
    assert {cap.name for cap in outcome.sizing.caps} == {
        "risk",
        "volatility",
        "open risk",
        "pair exposure",
        "exposure of group BTC/USD",
        "exposure of bucket major",
        "gross exposure",
        "hedge",
        "cash",
    }
    assert outcome.costs is not None
    assert outcome.approval is not None
    assert outcome.approval.passed
    codes = {check.code for check in outcome.verdict.checks}
    assert {"not-in-universe", "daily-drawdown", "cooling-down", "not-worth-costs"} <= codes


@pytest.mark.parametrize(
    ("question", "situation", "code"),
    [
        (a_question("DOGE/USD"), {}, "not-in-universe"),
        (a_question(), {"pair_trades": 2}, "limit-exceeded"),
        (a_question(), {"hedge_target": Decimal(1)}, "hedge-exceeded"),
        (
            a_question(),
            {
                "strategy": Headroom(
                    "capital of trend", Decimal(0), Decimal(0), "capital", "allocation-exceeded"
                )
            },
            "allocation-exceeded",
        ),
        (a_question(), {"spendable_cash": Decimal(0)}, "insufficient-balance"),
        (a_question(claim=a_claim(evidence=an_evidence("0.001"))), {}, "not-worth-costs"),
        (
            a_question(book=BookView((), (BookLevel(Decimal(50_000), Decimal("0.001")),))),
            {},
            "book-too-thin",
        ),
        (a_question(quantity=Decimal("0.00001")), {}, "below-minimum"),
        (a_question(quantity=Decimal(1)), {}, "limit-exceeded"),
    ],
)
def test_each_rule_refuses(
    question: EntryQuestion, situation: dict[str, object], code: str
) -> None:
    outcome = assessed(question, a_situation(**situation))
    assert code in {check.code for check in outcome.verdict.failures}


def test_a_halted_account_is_told_why_and_nothing_is_sized() -> None:
    down = mark(a_situation().drawdown, RULES.drawdown, Decimal(94_500), START).state
    outcome = assessed(a_question(), a_situation(drawdown=down))
    assert [check.code for check in outcome.verdict.failures] == ["daily-drawdown"]
    assert outcome.sizing is None


def test_the_risk_allowed_itself_is_allowed() -> None:
    assert check_risk(Decimal(500), Decimal(500)).passed
    assert not check_risk(Decimal("500.01"), Decimal(500)).passed
    assert check_cash(Decimal(5), Decimal(5)).passed
    assert not check_cash(Decimal("5.01"), Decimal(5)).passed
    least = Decimal(100) * RULES.limits.stop_distance_minimum
    stop = check_stop(RULES.limits, Decimal(100), Decimal(100) - least)
    assert (stop.passed, stop.figure) == (True, RULES.limits.stop_distance_minimum)
    assert not check_stop(RULES.limits, Decimal(100), Decimal(100) - least / 2).passed
    assert not check_stop(RULES.limits, Decimal(100), Decimal(101)).passed


def test_fees_count_as_exposure_and_the_drawdown_lowers_the_risk_allowed() -> None:
    down = mark(a_situation().drawdown, RULES.drawdown, Decimal(96_500), START).state
    asked = a_question(quantity=Decimal("0.08"))
    for drawdown, factor in ((a_situation().drawdown, 1), (down, Decimal("0.625"))):
        checks = assessed(asked, a_situation(drawdown=drawdown)).verdict.checks
        pair = next(c for c in checks if c.reason.startswith("pair exposure"))
        assert pair.figure == Decimal("0.08") * 50_000 * (1 + FEES.taker)
        risk = next(c for c in checks if c.reason.startswith("loss at the stop"))
        assert risk.limit == Decimal(100_000) * RULES.limits.risk_share * factor
        unit = unit_loss(Decimal(50_000), Decimal(47_500), FEES, RULES.limits)
        assert risk.figure == unit * Decimal("0.08")


def test_a_large_entry_waits_for_a_person() -> None:
    tight = a_question(quantity=Decimal("0.4"), stop_price=Decimal(49_800), claim=a_claim())
    careful = replace(RULES, approval=ApprovalPolicy(equity_share_minimum=Decimal("0.15")))
    outcome = assess_entry(tight, a_situation(), careful, COMPLIANCE)
    assert outcome.verdict.allowed, outcome.verdict.reason
    assert outcome.approval is not None
    assert (outcome.approval.passed, outcome.approval.code) == (False, "approval-needed")


class Ledger:
    """A plain account: cash, holdings and prices, entries filled at once at the asked price."""

    def __init__(self, rules: AccountRules) -> None:
        self.rules = rules
        self.cash = Decimal(100_000)
        self.held = dict.fromkeys(SYMBOLS, Decimal(0))
        self.prices = dict.fromkeys(SYMBOLS, Decimal(100))
        self.drawdown: DrawdownState = start(self.cash, date(2026, 1, 5), START)
        self.trades = 0

    @property
    def exposures(self) -> dict[str, Decimal]:
        return {s: q * self.prices[s] for s, q in self.held.items() if q}

    @property
    def equity(self) -> Decimal:
        return self.cash + sum(self.exposures.values(), Decimal(0))

    def move(self, symbol: str, share: Decimal) -> None:
        self.prices[symbol] *= 1 + share
        marked = mark(self.drawdown, self.rules.drawdown, self.equity, START)
        self.drawdown = marked.state
        if marked.close_positions:
            for name, quantity in self.held.items():
                self.cash += quantity * self.prices[name] * (1 - FEES.taker)
                self.held[name] = Decimal(0)
            self.trades = 0

    def enter(self, symbol: str, minute: int) -> None:
        equity, price = self.equity, self.prices[symbol]
        reserve = equity * self.rules.limits.cash_reserve_share
        view = PortfolioView(equity, self.exposures, GROUPS, BUCKETS, self.trades)
        situation = AccountSituation(
            view,
            self.cash - reserve,
            self.drawdown,
            PegWatch(),
            FEES,
            Decimal("0.4"),
            losses=NO_LOSSES,
            open_risk=Decimal(0),
        )
        question = a_question(symbol, price)
        question = replace(
            question,
            market=replace(question.market, observed_at=START + timedelta(minutes=minute)),
        )
        outcome = assess_entry(question, situation, self.rules, COMPLIANCE)
        if not outcome.verdict.allowed:
            return
        cost = outcome.quantity * price
        self.cash -= cost * (1 + FEES.taker)
        self.held[symbol] += outcome.quantity
        self.trades += 1
        self._assert_within_limits(symbol, equity)

    def _assert_within_limits(self, symbol: str, equity: Decimal) -> None:
        limits = self.rules.portfolio
        exposures = self.exposures
        assert self.cash >= 0
        assert exposures[symbol] <= equity * limits.pair_share
        assert sum(exposures.values()) <= equity * min(limits.gross_share, Decimal("0.6"))
        group = [v for s, v in exposures.items() if GROUPS[s] == GROUPS[symbol]]
        assert sum(group) <= equity * limits.group_share
        assert self.trades <= limits.trades_maximum
        assert self.drawdown.daily_halted_at is None


def test_a_falling_market_is_entered_smaller_and_then_not_at_all() -> None:
    limits = replace(RULES.limits, risk_share=Decimal("0.05"))
    drawdown = replace(RULES.drawdown, positions=PositionsOnHalt.CLOSE)
    ledger = Ledger(replace(RULES, limits=limits, drawdown=drawdown, volatility_share=Decimal(1)))
    costs = []
    for minute, (symbol, share) in enumerate(
        (("BTC/USD", "-0.12"), ("SOL/USD", "-0.02"), ("ETH/USD", "-0.3"), ("BTC/USD", "0.5"))
    ):
        before = ledger.cash
        ledger.enter(symbol, minute)
        costs.append(before - ledger.cash)
        ledger.move(symbol, Decimal(share))
    assert costs[0] > costs[2] > 0
    assert costs[3] == 0
    assert ledger.drawdown.daily_halted_at is not None
    assert ledger.exposures == {}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(SYMBOLS),
        st.booleans(),
        st.decimals("-0.4", "0.4", places=3),
    ),
    max_size=40,
)


@given(STEPS, st.decimals("0.001", "0.05", places=3))
@settings(deadline=None)
def test_no_sequence_of_facts_ends_above_a_limit_or_below_the_hard_level_and_one_gap(
    steps: list[tuple[str, bool, Decimal]], risk: Decimal
) -> None:
    drawdown = replace(RULES.drawdown, positions=PositionsOnHalt.CLOSE)
    rules = replace(RULES, drawdown=drawdown, limits=replace(RULES.limits, risk_share=risk))
    ledger, worst = Ledger(rules), Decimal(0)
    best = ledger.equity
    for minute, (symbol, wants, share) in enumerate(steps):
        if wants:
            ledger.enter(symbol, minute)
        before = ledger.equity
        ledger.move(symbol, share)
        worst = max(worst, before - ledger.equity)
        best = max(best, before)
        assert ledger.cash >= 0
    # The fees of entering and leaving come on top of the gap that broke the level.
    fees = best * 2 * FEES.taker
    lost = ledger.drawdown.opening_equity - ledger.equity
    assert lost <= ledger.drawdown.opening_equity * drawdown.hard_share + worst + fees
