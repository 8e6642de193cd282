"""All rules of an account at once: no sequence of facts ends above a limit or below zero.

People, strategies, prices, capital, days, settings and the hedge come in any order, and old news
come again. What is checked is computed from the truth beside the account, not from what it says.
"""

import json
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.trading.account.capital.facts import DayBoundaryPassed, PricesMarked
from models.trading.account.facts import (
    EnterTrade,
    ExchangeReady,
    IdeaArrived,
    OpenRequested,
    SettingsChangeRequested,
    UniverseUpdated,
)
from models.trading.account.hedge.facts import (
    HedgeClearRequested,
    HedgeOverrideRequested,
    HedgeReviewRequested,
)
from models.trading.account.state import AccountState
from models.trading.capital.flows import CapitalFlow, FlowSource
from models.trading.governance.approval import ApprovalSettled, ApprovalStatus
from models.trading.ideas import Idea
from models.trading.orders import OrderType
from models.trading.trading_day import DayRule, next_boundary
from tests.models.trading.model_broker import Broker
from tests.models.trading.trading_builders import START, an_account, an_instrument

ZERO = Decimal(0)
TINY = Decimal("1e-9")
PRICES = {"BTC/USD": Decimal(50000), "ETH/USD": Decimal(3000), "SOL/USD": Decimal(150)}
GROUPS = {"BTC/USD": "BTC/USD", "ETH/USD": "BTC/USD", "SOL/USD": "SOL/USD"}
BUCKETS = {"BTC/USD": "major", "ETH/USD": "large", "SOL/USD": "large"}
SYMBOL = st.sampled_from(tuple(PRICES))
SHARE = st.decimals("0.01", "1", places=2)
WIDE = st.one_of(st.just(Decimal(1)), st.decimals("0.2", "1", places=2))
TICK = Decimal("0.01")


class RulesMachine(RuleBasedStateMachine):
    """One account, from noon on, under limits that are drawn and changed."""

    @initialize(
        cash=st.integers(100, 200_000),
        shares=st.tuples(WIDE, WIDE, WIDE, WIDE),
        counts=st.tuples(st.integers(1, 6), st.integers(1, 20)),
        hard=st.decimals("0.01", "0.1", places=3),
        large=WIDE,
        hedged=st.booleans(),
    )
    def begin(
        self,
        cash: int,
        shares: tuple[Decimal, Decimal, Decimal, Decimal],
        counts: tuple[int, int],
        hard: Decimal,
        large: Decimal,
        hedged: bool,
    ) -> None:
        account = an_account(
            str(cash), instruments={s: an_instrument(s, price_increment=TICK) for s in PRICES}
        )
        self.broker = Broker(account, Decimal(cash), dict(PRICES))
        self.broker.measure()
        self.limits: dict[str, Decimal] = {}
        self.universe = tuple(PRICES)
        self.ordered: list[int] = []
        self.waiting: list[str] = []
        self.number = 0
        self.rules_told = 0
        self.tell_rules(self.universe)
        pair, group, bucket, gross = shares
        self.change(
            {
                "risk.risk_share": Decimal("0.1"),
                "risk.open_trades_per_pair": Decimal(6),
                "portfolio.pair_share": min(pair, gross),
                "portfolio.group_share": group,
                "portfolio.bucket_share": bucket,
                "portfolio.gross_share": gross,
                "portfolio.trades_maximum": Decimal(counts[0]),
                "portfolio.orders_maximum": Decimal(counts[1]),
                "drawdown.soft_share": hard / 2,
                "drawdown.hard_share": hard,
                "drawdown.total_share": Decimal(1),
                "approval.equity_share_minimum": large,
            },
            {"drawdown.positions": "close", "hedge.mode": "automatic" if hedged else "off"},
        )

    def next_name(self, kind: str) -> str:
        self.number += 1
        return f"{kind}-{self.number}"

    # --- people --------------------

    def change(self, limits: dict[str, Decimal], more: dict[str, str] | None = None) -> None:
        updates = {n: int(v) if n.endswith(_COUNTS) else str(v) for n, v in limits.items()}
        name = self.next_name("settings")
        fact = SettingsChangeRequested(
            name, "Dora", json.dumps(updates | (more or {})), "why", self.broker.now, confirmed=True
        )
        answer = self.broker.tell(fact)
        assert answer is not None
        if answer.approval is not None:
            agreed = ApprovalStatus.APPROVED
            answer = self.broker.tell(
                ApprovalSettled(answer.approval, agreed, "Bob", None, self.broker.now)
            )
            assert answer is not None
        if answer.accepted:
            self.limits |= limits

    @rule(share=WIDE, which=st.sampled_from(("pair", "group", "bucket", "gross")))
    def limit_is_changed(self, share: Decimal, which: str) -> None:
        self.change({f"portfolio.{which}_share": share})

    @rule(left=st.sets(SYMBOL, max_size=1))
    def universe_changes(self, left: set[str]) -> None:
        self.tell_rules(tuple(sorted(set(PRICES) - left)))

    def tell_rules(self, universe: tuple[str, ...]) -> None:
        self.universe = universe
        self.rules_told += 1
        number = self.rules_told
        self.broker.tell(
            UniverseUpdated(number, universe, BUCKETS, number, GROUPS, self.broker.now)
        )

    @rule(
        symbol=SYMBOL,
        worth=st.decimals("0.01", "0.5", places=2),
        stop=st.decimals("0.01", "0.2", places=2),
        limit=st.booleans(),
        at_once=st.booleans(),
    )
    def trade_is_requested(
        self, symbol: str, worth: Decimal, stop: Decimal, limit: bool, at_once: bool
    ) -> None:
        price = self.broker.prices[symbol]
        quantity = (max(ZERO, self.broker.equity) * worth / price).quantize(Decimal("1e-6"))
        self.asked(
            OpenRequested(
                request_id=self.next_name("open"),
                by="director",
                symbol=symbol,
                order_type=OrderType.LIMIT if limit else OrderType.MARKET,
                stop_price=(price * (1 - stop)).quantize(TICK),
                market=self.broker.market(symbol),
                at=self.broker.now,
                quantity=quantity,
                limit_price=(price * Decimal("0.999")).quantize(TICK) if limit else None,
            ),
            at_once=at_once,
        )

    @rule(symbol=SYMBOL, stop=st.decimals("0.01", "0.3", places=2), at_once=st.booleans())
    def idea_arrives(self, symbol: str, stop: Decimal, at_once: bool) -> None:
        price = self.broker.prices[symbol]
        idea = Idea(
            idea_id=self.next_name("idea"),
            strategy="trend",
            strategy_version="1",
            symbol=symbol,
            bar_start=START,
            expires_at=self.broker.now + timedelta(hours=1),
            stop_price=(price * (1 - stop)).quantize(TICK),
            take_profit_price=(price * Decimal("1.3")).quantize(TICK),
            trailing_distance=None,
        )
        fact = IdeaArrived(idea, self.broker.market(symbol), self.broker.now)
        self.asked(fact, at_once=at_once)

    def asked(self, fact: OpenRequested | IdeaArrived, *, at_once: bool) -> None:
        before, known = set(self.broker.state.waiting), set(self.broker.trades)
        self.broker.tell(fact)
        self.waiting += sorted(set(self.broker.state.waiting) - before)
        if at_once:
            for number in self.broker.trades.keys() - known:
                self.no_entry_went_above_a_limit()
                self.broker.fill(number, Decimal(1), Decimal("0.1"))

    @precondition(lambda self: self.waiting)
    @rule(pick=st.integers(0, 100), approved=st.booleans())
    def person_decides(self, pick: int, approved: bool) -> None:
        name = self.waiting.pop(pick % len(self.waiting))
        entry = self.broker.state.waiting[name]
        status = ApprovalStatus.APPROVED if approved else ApprovalStatus.REFUSED
        market = self.broker.market(entry.symbol)
        self.broker.tell(ApprovalSettled(name, status, "Bob", market, self.broker.now))

    # --- the market and the exchange --------------------

    @rule(gap=st.decimals("0.005", "0.1", places=3))
    def everything_falls(self, gap: Decimal) -> None:
        for symbol in PRICES:
            self.leap(symbol, -gap)

    @rule(symbol=SYMBOL, gap=st.decimals("-0.25", "0.25", places=3))
    def price_moves(self, symbol: str, gap: Decimal) -> None:
        self.leap(symbol, gap)

    def leap(self, symbol: str, gap: Decimal) -> None:
        """Move a price at once; stops that it has passed are executed where it is now."""
        self.advance(1)
        with self.broker.one_gap():
            self.leap_and_stop_out(symbol, gap)

    def leap_and_stop_out(self, symbol: str, gap: Decimal) -> None:
        broker = self.broker
        broker.prices[symbol] = (broker.prices[symbol] * (1 + gap)).quantize(TICK)
        broker.measure()
        broker.tell(PricesMarked({symbol: broker.prices[symbol]}, broker.now, broker.now))
        for number, trade in list(broker.trades.items()):
            crossed = broker.prices[symbol] <= trade.summary.stop_price
            if number in broker.trades and trade.summary.symbol == symbol and crossed:
                broker.sell(number, trade.held, over=True)

    @precondition(lambda self: any(t.rest for t in self.broker.trades.values()))
    @rule(pick=st.integers(0, 100), share=WIDE, slip=st.decimals("0", "1", places=2))
    def entry_fills(self, pick: int, share: Decimal, slip: Decimal) -> None:
        entering = [n for n, t in self.broker.trades.items() if t.rest]
        self.broker.fill(entering[pick % len(entering)], share, slip)

    @precondition(lambda self: self.broker.trades)
    @rule(pick=st.integers(0, 100))
    def trade_ends(self, pick: int) -> None:
        numbers = list(self.broker.trades)
        number = numbers[pick % len(numbers)]
        self.broker.sell(number, self.broker.trades[number].held, over=True)

    @rule(amount=st.decimals("-1", "2", places=2))
    def capital_moves(self, amount: Decimal) -> None:
        """A share of the cash that is free is taken out, or as much and more brought in."""
        broker = self.broker
        free = max(ZERO, broker.cash - sum((t.promised for t in broker.trades.values()), ZERO))
        moved = (free * amount).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
        name = self.next_name("ledger")
        source = FlowSource.LEDGER
        flow = CapitalFlow(name, "USD", moved, moved, broker.now, source, "exchange")
        before = broker.equity
        broker.cash += moved
        broker.measure(moved, before)
        totals = {"USD": broker.cash} | {
            symbol.partition("/")[0]: q for symbol, q in broker.coins.items()
        }
        state = broker.state
        broker.tell(ExchangeReady(totals, state.instruments, state.fees, broker.now, flows=(flow,)))

    @rule(seconds=st.sampled_from((1, 60, 300, 3600, 20_000, 90_000)))
    def time_passes(self, seconds: int) -> None:
        self.advance(seconds)
        broker = self.broker
        broker.tell(PricesMarked(dict(broker.prices), broker.now, broker.now))

    def advance(self, seconds: int) -> None:
        """Let time pass, and the days that end in it be closed."""
        broker, rule = self.broker, DayRule()
        until = broker.now + timedelta(seconds=seconds)
        boundary = next_boundary(rule, broker.now)
        broker.seconds += seconds
        while boundary.at <= until:
            broker.tell(DayBoundaryPassed(boundary, dict(broker.prices), {}, broker.now))
            broker.begin_day()
            boundary = next_boundary(rule, boundary.at)

    # --- the hedge, and old news --------------------

    @rule(volatility=st.decimals("0", "0.12", places=3))
    def hedge_is_looked_at(self, volatility: Decimal) -> None:
        broker = self.broker
        broker.tell(
            HedgeReviewRequested(
                self.next_name("review"),
                "time",
                tuple(broker.market(symbol) for symbol in PRICES),
                dict.fromkeys(PRICES, volatility),
                volatility,
                broker.now,
                broker.now,
            )
        )

    @rule(share=st.decimals("0", "1", places=2), clears=st.booleans())
    def hedge_is_set_by_hand(self, share: Decimal, clears: bool) -> None:
        name, now = self.next_name("hedge"), self.broker.now
        fact = (
            HedgeClearRequested(name, "Dora", "done", now)
            if clears
            else HedgeOverrideRequested(name, "Dora", share, "storm", now, now, timedelta(hours=2))
        )
        self.broker.tell(fact)

    @precondition(lambda self: self.broker.told)
    @rule(pick=st.integers(0, 10**6))
    def old_news_come_again(self, pick: int) -> None:
        broker = self.broker
        fact = broker.told[pick % len(broker.told)]
        if isinstance(fact, ExchangeReady):
            return  # totals of another moment are another test's
        known, entered = dict(broker.state.trades), len(broker.entries)
        broker.tell(fact)
        broker.told.pop()
        assert len(broker.entries) == entered, "old news opened a trade"
        assert broker.state.trades.keys() <= known.keys()

    # --- what must hold --------------------

    @invariant()
    def no_entry_went_above_a_limit(self) -> None:
        for command, state in self.broker.entries:
            self.check_entry(command, state)
        self.broker.entries.clear()

    def check_entry(self, command: EnterTrade, state: AccountState) -> None:
        broker, limits = self.broker, self.limits
        entry = command.plan.entry
        assert not state.halts
        assert entry.symbol in self.universe
        assert len(state.trades) <= limits["portfolio.trades_maximum"]
        self.ordered = [at for at in self.ordered if at > broker.seconds - 600]
        self.ordered.append(broker.seconds)
        assert len(self.ordered) <= limits["portfolio.orders_maximum"]
        equity = broker.equity + TINY
        pair = broker.exposure(entry.symbol)
        assert pair <= equity * limits["portfolio.pair_share"]
        for names, kind in ((GROUPS, "group"), (BUCKETS, "bucket")):
            together = [s for s in PRICES if names[s] == names[entry.symbol]]
            held = sum((broker.exposure(symbol) for symbol in together), ZERO)
            assert held <= equity * limits[f"portfolio.{kind}_share"], kind
        gross = sum((broker.exposure(symbol) for symbol in PRICES), ZERO)
        assert gross <= equity * limits["portfolio.gross_share"]
        if state.hedge_target is not None:
            assert gross <= equity * (1 - state.hedge_target)

    @invariant()
    def cash_is_never_negative_nor_promised_twice(self) -> None:
        broker = self.broker
        promised = sum((trade.promised for trade in broker.trades.values()), ZERO)
        assert broker.cash - promised >= -TINY
        assert abs(broker.state.cash - broker.cash) < TINY

    @invariant()
    def no_more_is_lost_in_a_day_than_the_hard_level_and_one_gap(self) -> None:
        broker = self.broker
        # A gap is a share of what is left when it comes, which may be above the day's beginning.
        gap = broker.gap * max(Decimal(1), broker.growth / broker.day_growth)
        assert broker.lost <= self.limits["drawdown.hard_share"] + gap + TINY
        drawdown = broker.state.drawdown
        if drawdown is not None and drawdown.daily_halted_at is not None:
            assert broker.state.is_halted
            assert not broker.trades, "positions are closed at the hard level, as is set"

    @invariant()
    def return_is_that_without_the_flows(self) -> None:
        drawdown = self.broker.state.drawdown
        assert drawdown is not None
        if self.broker.growth > TINY:
            assert abs(drawdown.growth / self.broker.growth - 1) < TINY


_COUNTS = ("_maximum", "_per_pair")

RulesMachine.TestCase.settings = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestRules = RulesMachine.TestCase
