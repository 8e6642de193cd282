"""An account against a model exchange: requests repeated, news late, doubled and in any order."""

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.trading.account.decisions import decide
from models.trading.account.facts import (
    AccountFact,
    EnterTrade,
    ExchangeLost,
    ExchangeReady,
    HaltRequested,
    IdeaArrived,
    KillSwitchEngaged,
    KillSwitchLifted,
    OpenRequested,
    ResumeRequested,
    TradeProgressed,
)
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.ideas import Idea
from models.trading.orders import OrderType
from models.trading.trade.state import TradePhase, TradePlan, TradeSummary
from tests.models.trading.trading_builders import START, a_market, an_account

ZERO = Decimal(0)
PRICE = Decimal(50000)
PICK = st.integers(min_value=0, max_value=10**6)
FEW = st.integers(min_value=1, max_value=6)
SHARE = st.sampled_from((Decimal("0.25"), Decimal("0.5"), Decimal(1)))


class ModelTrade:
    """A trade as the exchange executes it."""

    def __init__(self, plan: TradePlan) -> None:
        self.plan = plan
        self.bought = self.sold = self.cash_flow = ZERO
        self.over = False

    @property
    def summary(self) -> TradeSummary:
        rest = self.plan.entry.quantity - self.bought
        entry = self.plan.entry
        return TradeSummary(
            number=self.plan.number,
            symbol=entry.symbol,
            phase=TradePhase.SETTLED if self.over else TradePhase.OPEN,
            bought=self.bought,
            sold=self.sold,
            cash_flow=self.cash_flow,
            fees=ZERO,
            reserved_cash=ZERO if self.over else rest * PRICE,
            stop_price=self.plan.stop_price,
            entry_order_id=f"O{self.plan.number}",
            entry_client_order_id=entry.client_order_id,
            entry_open=not self.over and rest > 0,
        )


class AccountMachine(RuleBasedStateMachine):
    """People, strategies, trades and the exchange tell an account what they like, when they like.

    What the model holds is the truth: cash at the exchange, and which trades were really entered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state: AccountState = an_account()
        self.cash = ZERO
        self.coins = ZERO
        self.trades: dict[int, ModelTrade] = {}
        self.answers: dict[str, Answer] = {}
        self.ideas: set[str] = set()
        self.news: list[AccountFact] = []
        self.kills: set[int] = set()
        self.told_kills: set[int] = set()
        self.seconds = 0

    @initialize(cash=st.integers(min_value=0, max_value=200_000))
    def begin(self, cash: int) -> None:
        self.state = an_account(str(cash))
        self.cash = Decimal(cash)

    def now(self) -> datetime:
        self.seconds += 1
        return START + timedelta(seconds=self.seconds)

    def tell(self, fact: AccountFact) -> Answer | None:
        halted = self.state.is_halted
        decision = decide(self.state, fact)
        self.state = decision.state
        entered = [c for c in decision.commands if isinstance(c, EnterTrade)]
        assert len(entered) <= 1
        for command in entered:
            assert not halted, "an entry while halted"
            number = command.plan.number
            assert number > max(self.trades, default=0), "a trade's number was used twice"
            self.trades[number] = ModelTrade(command.plan)
        return decision.answer

    # --- people and strategies -----------------------------

    @rule(number=FEW, lots=FEW)
    def trade_is_requested(self, number: int, lots: int) -> None:
        name = f"open-{number}"
        before = len(self.trades)
        answer = self.tell(
            OpenRequested(
                request_id=name,
                by="director",
                symbol="BTC/USD",
                order_type=OrderType.MARKET,
                stop_price=Decimal(49000),
                market=a_market(seconds=self.seconds),
                at=self.now(),
                quantity=Decimal(lots) / 50,
            )
        )
        assert answer is not None
        self._check_answer(name, answer, entered=len(self.trades) > before)

    @rule(number=FEW)
    def idea_arrives(self, number: int) -> None:
        name = f"idea-{number}"
        idea = Idea(
            idea_id=name,
            strategy="trend",
            strategy_version="1",
            symbol="BTC/USD",
            bar_start=START,
            expires_at=START + timedelta(hours=1),
            stop_price=Decimal(49000),
            take_profit_price=Decimal(53000),
            trailing_distance=None,
        )
        before = len(self.trades)
        self.tell(IdeaArrived(idea, a_market(seconds=self.seconds), self.now()))
        assert len(self.trades) == before or name not in self.ideas, "an idea was taken twice"
        self.ideas.add(name)

    @rule(number=FEW, resumes=st.booleans())
    def somebody_halts_or_resumes(self, number: int, resumes: bool) -> None:
        name, at = f"halt-{number}-{resumes}", self.now()
        request = (
            ResumeRequested(name, "director", at)
            if resumes
            else HaltRequested(name, "director", "lunch", at)
        )
        answer = self.tell(request)
        assert answer is not None
        self._check_answer(name, answer, entered=False)

    def _check_answer(self, name: str, answer: Answer, *, entered: bool) -> None:
        known = self.answers.get(name)
        if known is None:
            self.answers[name] = answer
            return
        assert not entered, "a repeated request was obeyed"
        assert (answer.code, answer.trade) == (known.code, known.trade)

    # --- the exchange and the trades -----------------------------

    def open_trades(self) -> list[ModelTrade]:
        return [trade for trade in self.trades.values() if not trade.over]

    @precondition(lambda self: self.open_trades())
    @rule(pick=PICK, share=SHARE)
    def entry_fills(self, pick: int, share: Decimal) -> None:
        trade = self.open_trades()[pick % len(self.open_trades())]
        quantity = (trade.plan.entry.quantity - trade.bought) * share
        trade.bought += quantity
        self._move(trade, quantity)

    @precondition(lambda self: self.open_trades())
    @rule(pick=PICK, share=SHARE)
    def trade_sells(self, pick: int, share: Decimal) -> None:
        trade = self.open_trades()[pick % len(self.open_trades())]
        quantity = (trade.bought - trade.sold) * share
        trade.sold += quantity
        self._move(trade, -quantity)

    @precondition(lambda self: self.open_trades())
    @rule(pick=PICK)
    def trade_ends(self, pick: int) -> None:
        trade = self.open_trades()[pick % len(self.open_trades())]
        quantity = trade.bought - trade.sold
        trade.sold, trade.over = trade.bought, True
        self._move(trade, -quantity)

    def _move(self, trade: ModelTrade, bought: Decimal) -> None:
        trade.cash_flow -= bought * PRICE
        self.cash -= bought * PRICE
        self.coins += bought
        self.news.append(TradeProgressed(trade.summary, trade.over, self.now()))

    @rule()
    def exchange_tells_its_balances(self) -> None:
        state, at = self.state, self.now()
        balances = {"USD": self.cash, "BTC": self.coins}
        self.news.append(ExchangeReady(balances, state.instruments, state.fees, at))

    @rule()
    def exchange_is_lost(self) -> None:
        self.news.append(ExchangeLost("no answer", self.now()))

    @rule(number=FEW, flatten=st.booleans())
    def kill_switch_engages(self, number: int, flatten: bool) -> None:
        self.tell(KillSwitchEngaged(number, flatten, "drill", "director", self.now()))
        if number not in self.told_kills:
            self.told_kills.add(number)
            self.kills.add(number)

    @rule(number=FEW)
    def kill_switch_is_lifted(self, number: int) -> None:
        # Lifting may overtake engaging, which then comes too late to halt anything.
        self.tell(KillSwitchLifted(number, "director", self.now()))
        self.told_kills.add(number)
        self.kills.discard(number)

    # --- news travels -----------------------------

    @precondition(lambda self: self.news)
    @rule(pick=PICK, again=st.booleans())
    def news_arrives(self, pick: int, again: bool) -> None:
        index = pick % len(self.news)
        self.tell(self.news[index] if again else self.news.pop(index))

    # --- what must hold -----------------------------

    @invariant()
    def cash_is_never_promised_twice(self) -> None:
        assert self.state.available_cash >= 0

    @invariant()
    def engaged_kill_switch_halts(self) -> None:
        assert self.state.is_halted or not self.kills

    def teardown(self) -> None:
        for trade in self.open_trades():
            quantity = trade.bought - trade.sold
            trade.sold, trade.over = trade.bought, True
            self._move(trade, -quantity)
        for fact in reversed(self.news):
            self.tell(fact)
        assert not self.state.trades
        assert self.state.closed_trades == len(self.trades)
        assert self.state.cash == self.cash
        assert self.state.balances.get("BTC", ZERO) == self.coins


AccountMachine.TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestAccount = AccountMachine.TestCase
