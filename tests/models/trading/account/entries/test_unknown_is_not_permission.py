"""Whatever figure goes missing, grows old or is no number: no entry that its worst would not allow.

An account lives through rounds of facts. In each round any figures may be absent, silent for long,
NaN or zero. Each round is judged again from the same state with every figure that is unknown in it
told at the worst value it could have: whatever the first enters, that enters too, and no smaller.
Of the price of what an open trade holds the worst is both: low is a loss, high is more at risk.
Of evidence that is missing the worst is none, which a simulated account may trade unproven: that
excuses no other figure of the round.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from models.trading.account.capital.facts import DayBoundaryPassed, PricesMarked
from models.trading.account.decisions import decide
from models.trading.account.entries.basis import EntryBasis
from models.trading.account.entries.book_costs import BookView
from models.trading.account.facts import (
    AccountFact,
    EnterTrade,
    ExchangeReady,
    IdeaArrived,
    OpenRequested,
    UniverseUpdated,
)
from models.trading.account.figures import FigureLimits, FigureTimes
from models.trading.account.state import AccountState
from models.trading.ideas import Idea
from models.trading.market import MarketSnapshot
from models.trading.orders import OrderType
from models.trading.risk.drawdown_limits import DrawdownLimits
from models.trading.risk.limits import FeeRates, Mode
from models.trading.strategies.evidence import Evidence
from models.trading.trade.state import TradePhase, TradeSummary
from models.trading.trading_day import boundaries_between, day_start
from models.trading.universe.fees import BOTTOM_TIER
from tests.models.trading.trading_builders import (
    START,
    a_market,
    an_account,
    an_evidence,
    an_instrument,
)
from tests.support.books import a_book

NAN, ZERO = Decimal("NaN"), Decimal(0)
LIMITS = FigureLimits()
SYMBOLS = ("BTC/USD", "ETH/USD")
USUAL = {"ETH/USD": Decimal(2500), "SOL/USD": Decimal(100), "USDC/USD": Decimal(1)}
"""Prices of what is held: brought in, by an open trade, and as cash."""
FIGURES = {"price": "ETH/USD", "trade": "SOL/USD", "peg": "USDC/USD"}
AGAIN_WITHIN = timedelta(minutes=30)
OVERDUE = DrawdownLimits().day_overdue_after
CHEAP = FeeRates(Decimal("0.0010"), Decimal("0.0018"))
CASH = Decimal(80_000)
WORST_EVIDENCE = an_evidence("-0.5")

FLAWS = {
    "fees": ("good", "silent", "absent", "nan", "zero"),
    "universe": ("good", "silent", "absent"),
    "groups": ("good", "silent", "absent"),
    "price": ("good", "silent", "absent", "nan", "zero"),
    "balance": ("good", "nan"),
    "range": ("good", "absent", "nan", "zero", "old"),
    "volatility": ("good", "absent", "nan", "zero", "old"),
    "market": ("good", "absent", "nan", "zero", "old", "stale"),
    "evidence": ("good", "absent", "nan", "zero", "old"),
    "book": ("good", "absent", "undated", "nan", "zero", "old", "one-sided", "crossed"),
    "trade": ("good", "silent", "absent", "nan", "zero"),
    "peg": ("good", "silent", "absent", "nan", "zero"),
    "day": ("good", "silent"),
}
"""How each figure may be in a round; ``silent``: nothing is told of it."""

rounds = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            # Mostly good: otherwise no round would get as far as an entry.
            {name: st.sampled_from(("good",) * 4 + flaws) for name, flaws in FLAWS.items()}
        ),
        st.sampled_from((60, 3_600, 4 * 3_600, 86_400, 4 * 86_400)),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@dataclass(frozen=True)
class Round:
    """What is told in one round; ``worst`` makes every unknown figure its worst."""

    flaws: dict[str, str]
    at: datetime
    state: AccountState
    by_strategy: bool
    worst: str = ""
    """``low`` or ``high``, by what the price of the open trade is at its worst."""

    def has(self, figure: str, *flaws: str) -> bool:
        return self.flaws[figure] in flaws

    def is_lost(self, figure: str, limit: timedelta) -> bool:
        """Tell whether nothing is told of a figure and what was told is too old."""
        told = getattr(self.state.figure_times, figure)
        return self.has(figure, "silent") and (told is None or self.at - told > limit)

    def facts(self) -> list[AccountFact]:
        return [self.ready(), *self.rules(), *self.marked(), *self.closed(), self.entry()]

    def ready(self) -> AccountFact:
        rates: dict[str, FeeRates] = {}
        flaw = self.flaws["fees"]
        if flaw in ("good", "nan", "zero"):
            value = {"good": CHEAP.taker, "nan": NAN, "zero": ZERO}[flaw]
            rates = {"BTC/USD": FeeRates(CHEAP.maker, value), "ETH/USD": CHEAP}
        elif flaw == "absent":
            rates = {"ETH/USD": CHEAP}
        if self.worst and (flaw in ("absent", "nan", "zero") or self.is_lost("fees", LIMITS.fees)):
            rates = {"BTC/USD": BOTTOM_TIER, "ETH/USD": CHEAP}
        ether = NAN if self.has("balance", "nan") else Decimal(16)
        if self.worst and self.has("balance", "nan"):
            ether = Decimal("0.000001")
        balances = {"USD": CASH, "ETH": ether, "USDC": Decimal(20_000)}
        return ExchangeReady(balances, self.state.instruments, rates, self.at)

    def rules(self) -> list[AccountFact]:
        version, number = self.state.market_rules
        universe = SYMBOLS if self.has("universe", "good") else ("ETH/USD",)
        groups = {"ETH/USD": "ETH/USD"}
        if self.has("groups", "good"):
            groups |= {"BTC/USD": "BTC/USD"}
        reviewed = None if self.has("universe", "silent") else self.at
        computed = None if self.has("groups", "silent") else self.at
        if self.worst and self.is_lost("universe", LIMITS.universe):
            universe, reviewed = (), self.at
        if self.worst and (self.has("groups", "absent") or self.is_lost("groups", LIMITS.groups)):
            groups, computed = dict.fromkeys(SYMBOLS, "one"), self.at
        return [
            UniverseUpdated(
                version if reviewed is None else version + 1,
                universe,
                {},
                number if computed is None else number + 1,
                groups,
                self.at,
                None,
                reviewed,
                computed,
            )
        ]

    def marked(self) -> list[AccountFact]:
        """Tell all prices in one fact, as the market worker does, or none: silence is of them all.

        What is not told is unknown from when it was promised to be told again.
        """
        due = self.state.prices_due
        silent = any(self.has(figure, "silent") for figure in FIGURES)
        if silent and not (self.worst and (due is None or self.at > due)):
            return []
        prices: dict[str, Decimal] = {}
        unpriced: list[str] = []
        for figure, symbol in FIGURES.items():
            flaw = self.flaws[figure]
            if self.worst and flaw != "good":
                prices[symbol] = Decimal("0.01")
                if figure == "trade" and self.worst == "high":
                    prices[symbol] = Decimal(10_000)
            elif flaw == "absent":
                unpriced.append(symbol)
            else:
                prices[symbol] = {"good": USUAL[symbol], "nan": NAN, "zero": ZERO}[flaw]
        return [PricesMarked(prices, self.at, self.at, tuple(unpriced), AGAIN_WITHIN)]

    def closed(self) -> list[AccountFact]:
        """Close what days have ended, or say nothing; at its worst a day lost all that it had."""
        drawdown, due = self.state.drawdown, self.state.day_due
        if drawdown is None:
            return []
        silent = self.has("day", "silent")
        lost = silent and due is not None and self.at - due.since > OVERDUE
        if silent and not (self.worst and lost):
            return []
        opened = day_start(self.state.day, drawdown.day)
        times = 10**6 if lost else 1
        prices = {symbol: price * times for symbol, price in USUAL.items()}
        return [
            DayBoundaryPassed(boundary, prices, {}, self.at)
            for boundary in boundaries_between(self.state.day, opened, self.at)
        ]

    def market(self) -> MarketSnapshot | None:
        seen = a_market(average_true_range=Decimal(150), volatility=Decimal("0.003"))
        seen = replace(seen, observed_at=self.at, measured_at=self.at)
        for figure, field in (("range", "average_true_range"), ("volatility", "volatility")):
            flaw = self.flaws[figure]
            if flaw == "old":
                seen = replace(seen, measured_at=self.at - timedelta(days=2))
            elif flaw != "good":
                value = {"absent": None, "nan": NAN, "zero": ZERO}[flaw]
                seen = replace(seen, **{field: value})  # type: ignore[arg-type]
        if self.worst and not (self.has("range", "good") and self.has("volatility", "good")):
            # One of both is enough to size by only when it is known that the other is no larger.
            wild = {"average_true_range": Decimal(10**9), "volatility": Decimal(10)}
            seen = replace(seen, **wild, measured_at=self.at)  # type: ignore[arg-type]
        seen = self.with_book(seen)
        flaw = self.flaws["market"]
        if self.worst and flaw != "good":
            return replace(seen, bid=Decimal(1), ask=Decimal(10**9), last=Decimal(1))
        if flaw == "absent":
            return None
        if flaw in ("nan", "zero"):
            return replace(seen, ask=NAN if flaw == "nan" else ZERO)
        if flaw == "old":
            # By the market's own clock: a replay's has no other to be compared with.
            known = self.state.market_time or self.at
            old = min(self.at - timedelta(hours=2), known - timedelta(hours=1))
            if self.state.mode is Mode.LIVE:
                old = self.at - timedelta(hours=2)
            return replace(seen, observed_at=old)
        return replace(seen, stale=flaw == "stale")

    def with_book(self, seen: MarketSnapshot) -> MarketSnapshot:
        flaw, bid, ask = self.flaws["book"], seen.bid, seen.ask
        seen = replace(seen, book_at=self.at)
        if self.worst and flaw != "good":
            # Hardly anything is offered, and what is bought could not be sold again.
            return replace(seen, book=a_book(bid, ask, "0.00000001"))
        if flaw == "absent":
            return replace(seen, book=None)
        if flaw == "undated":
            return replace(seen, book_at=None)
        if flaw in ("nan", "zero"):
            return replace(seen, book=a_book(bid, ask, "NaN" if flaw == "nan" else "0"))
        if flaw == "old":
            known = max(self.at, self.state.market_time or self.at)
            return replace(seen, book_at=known - timedelta(hours=1))
        if flaw == "one-sided":
            return replace(seen, book=BookView(a_book(bid, ask).bids, ()))
        return replace(seen, book=a_book(ask, bid)) if flaw == "crossed" else seen

    def evidence(self) -> Evidence | None:
        flaw = self.flaws["evidence"]
        found = an_evidence("0.04")
        (fresh,) = found.sources
        fresh = replace(fresh, newest_at=self.at)
        if self.worst and flaw != "good":
            if self.state.mode is Mode.SIMULATED:
                return None
            return replace(WORST_EVIDENCE, sources=(replace(fresh, mean_move=Decimal("-0.5")),))
        if flaw == "absent":
            return None
        changed = {
            "good": fresh,
            "nan": replace(fresh, mean_move=NAN),
            "zero": replace(fresh, results=0, mean_move=ZERO),
            "old": replace(fresh, newest_at=self.at - timedelta(days=400)),
        }[flaw]
        return replace(found, sources=(changed,))

    def entry(self) -> AccountFact:
        name = f"{self.at.isoformat()}"
        market = self.market()
        if self.by_strategy and market is not None:
            idea = Idea(
                idea_id=name,
                strategy="trend",
                strategy_version="1",
                symbol="BTC/USD",
                bar_start=self.at,
                expires_at=self.at + timedelta(hours=1),
                stop_price=Decimal(49_000),
                take_profit_price=Decimal(56_000),
                trailing_distance=None,
            )
            return IdeaArrived(idea, market, self.at, self.evidence())
        return OpenRequested(
            name, "Dora", "BTC/USD", OrderType.MARKET, Decimal(49_000), market, self.at,
            take_profit_price=Decimal(50650),
        )  # fmt: skip


def entered(state: AccountState, facts: list[AccountFact]) -> EnterTrade | None:
    """Tell an account facts, the last of which is a wish to enter, and return the entry made."""
    for fact in facts[:-1]:
        state = decide(state, fact).state
    commands = decide(state, facts[-1]).commands
    return next((one for one in commands if isinstance(one, EnterTrade)), None)


def an_open_trade() -> TradeSummary:
    """Two hundred SOL bought at 100, with the stop at 95."""
    return TradeSummary(
        number=1, symbol="SOL/USD", phase=TradePhase.OPEN, bought=Decimal(200), sold=ZERO,
        cash_flow=Decimal(-20_000), fees=ZERO, reserved_cash=ZERO, stop_price=Decimal(95),
        entry_order_id="O1", entry_client_order_id="c1", entry_open=False,
    )  # fmt: skip


def a_beginning(mode: Mode) -> AccountState:
    account = an_account(
        "60000",
        mode=mode,
        figure_times=FigureTimes(),
        fees={},
        instruments={symbol: an_instrument(symbol) for symbol in ("BTC/USD", *USUAL)},
        balances={"USD": CASH, "ETH": Decimal(16), "USDC": Decimal(20_000)},
        trades={1: an_open_trade()},
        next_trade=2,
        prices=USUAL,
        market_time=START,
        prices_due=START + 2 * AGAIN_WITHIN,
    )
    return replace(account, drawdown=None)


def check(mode: Mode, told: list[tuple[dict[str, str], int, bool]]) -> set[str]:
    """Judge every round, and return what became of rounds with and without a flaw."""
    outcomes: set[str] = set()
    state, at = a_beginning(mode), START
    for flaws, seconds, by_strategy in told:
        at += timedelta(seconds=seconds)
        kind = LiveRound if mode is Mode.LIVE else Round
        seen = kind(flaws, at, state, by_strategy)
        made = entered(state, seen.facts())
        for worst in ("low", "high") if made is not None else ():
            least = entered(state, replace(seen, worst=worst).facts())
            assert least is not None, f"no entry is made at the worst ({worst}) of the figures"
            assert made is not None
            assert made.plan.entry.quantity <= least.plan.entry.quantity
        if made is not None and mode is Mode.LIVE:
            assert made.plan.basis is not EntryBasis.UNPROVEN
        flawed = any(flaw != "good" for flaw in flaws.values())
        outcomes.add(f"{'flawed' if flawed else 'whole'}, {'entered' if made else 'refused'}")
        for fact in seen.facts()[:-1]:
            state = decide(state, fact).state
    return outcomes


@dataclass(frozen=True)
class LiveRound(Round):
    """A round of a live account."""

    def ready(self) -> AccountFact:
        fact = super().ready()
        assert isinstance(fact, ExchangeReady)
        return replace(fact, mode=Mode.LIVE)


@pytest.mark.parametrize("mode", list(Mode))
@given(told=rounds)
@settings(max_examples=150, deadline=None)
def test_no_entry_is_made_that_the_worst_value_would_not_allow(
    mode: Mode, told: list[tuple[dict[str, str], int, bool]]
) -> None:
    for outcome in sorted(check(mode, told)):
        event(outcome)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("by_strategy", [True, False])
def test_whole_figures_lead_to_an_entry(mode: Mode, *, by_strategy: bool) -> None:
    good = dict.fromkeys(FLAWS, "good")
    kind = LiveRound if mode is Mode.LIVE else Round
    seen = kind(good, START + timedelta(seconds=60), a_beginning(mode), by_strategy)
    assert entered(seen.state, seen.facts()) is not None


@pytest.mark.parametrize("days", [1, 4])
def test_days_that_are_closed_let_entries_go_on(days: int) -> None:
    good = dict.fromkeys(FLAWS, "good")
    outcomes = check(Mode.SIMULATED, [(good, 60, True), (good, days * 86_400, True)])
    assert outcomes == {"whole, entered"}


def test_missing_evidence_excuses_no_other_figure() -> None:
    good = dict.fromkeys(FLAWS, "good")
    for name, flaws in FLAWS.items():
        for flaw in flaws[1:]:
            told = {**good, "evidence": "absent", name: flaw}
            for seconds in (60, 86_400):
                check(Mode.SIMULATED, [(good, 60, True), (told, seconds, True)])


@pytest.mark.parametrize(
    ("figure", "flaw"), [(name, flaw) for name, flaws in FLAWS.items() for flaw in flaws[1:]]
)
@pytest.mark.parametrize("by_strategy", [True, False])
def test_each_flaw_alone_after_a_whole_round(figure: str, flaw: str, *, by_strategy: bool) -> None:
    good = dict.fromkeys(FLAWS, "good")
    flawed = {**good, figure: flaw}
    for mode in Mode:
        for seconds in (60, 86_400, 4 * 86_400):
            check(mode, [(good, 60, by_strategy), (flawed, seconds, by_strategy)])
