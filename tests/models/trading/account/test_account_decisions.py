"""What accounts decide: refusals by code, limits that hold, halts that stay."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.account.capital import portfolio
from models.trading.account.decisions import decide
from models.trading.account.entries.book_costs import BookView
from models.trading.account.equity import equity_last_known
from models.trading.account.facts import (
    AcknowledgeKillSwitch,
    CloseTrades,
    EnterTrade,
    ExchangeLost,
    ExchangeReady,
    IdeaArrived,
    KillSwitchEngaged,
    KillSwitchLifted,
    LimitsChangeRequested,
    ModeChangeRequested,
    OpenRequested,
    RecordAccount,
    RecordIdea,
    TradeCloseRequested,
    TradeProgressed,
    WithdrawEntries,
)
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState, HaltKind
from models.trading.exits.requests import ExitsChange
from models.trading.exits.rules import PartialTake
from models.trading.ideas import Idea
from models.trading.instruments import InstrumentStatus
from models.trading.orders import OrderType, TimeInForce
from models.trading.risk.limits import AccountLimits, Mode, ProtectionMode
from models.trading.strategies.evidence import Evidence
from tests.models.trading.trading_builders import (
    START,
    a_market,
    an_account,
    an_evidence,
    an_instrument,
)
from tests.support.books import a_book

ZERO, HALF = Decimal(0), Decimal("0.5")


def a_request(number: int = 1, **changes: object) -> OpenRequested:
    values: dict[str, object] = {
        "request_id": f"r-{number}",
        "by": "director",
        "symbol": "BTC/USD",
        "order_type": OrderType.MARKET,
        "stop_price": Decimal(49000),
        "market": a_market(),
        "at": START,
    }
    return OpenRequested(**{**values, **changes})  # type: ignore[arg-type]


def an_idea(name: str = "i-1", evidence: Evidence | None = None) -> IdeaArrived:
    idea = Idea(
        idea_id=name,
        strategy="trend",
        strategy_version="1",
        symbol="BTC/USD",
        bar_start=START,
        expires_at=START.replace(hour=13),
        stop_price=Decimal("49000.03"),
        take_profit_price=Decimal("53000.08"),
        trailing_distance=Decimal("1000.07"),
    )
    return IdeaArrived(idea, a_market(), START, evidence or an_evidence())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "BTC/EUR"}, "not-usd-spot"),
        ({"symbol": "XYZ/USD"}, "unknown-pair"),
        ({"market": None}, "no-market-data"),
        ({"market": a_market(stale=True)}, "stale-market"),
        ({"market": a_market(book=None)}, "book-unknown"),
        ({"market": a_market(book_at=None)}, "book-unknown"),
        ({"market": a_market(book_at=START - timedelta(seconds=301))}, "book-old"),
        ({"market": a_market(book=BookView((), a_book(1, 2).asks))}, "book-one-sided"),
        ({"market": a_market(book=BookView(a_book(1, 2).bids, ()))}, "book-one-sided"),
        ({"market": a_market(book=a_book(50002, 50001))}, "book-crossed"),
        ({"market": a_market(book=a_book(50000, 50001, "NaN"))}, "book-unknown"),
        (
            {"market": a_market(book=a_book(50000, 50001, "0.001")), "quantity": Decimal("0.01")},
            "book-too-thin",
        ),
        ({"stop_price": Decimal(50000)}, "stop-on-wrong-side"),
        ({"stop_price": Decimal("NaN")}, "invalid-price"),
        ({"stop_price": Decimal(-1)}, "invalid-price"),
        ({"stop_price": Decimal("1e40")}, "invalid-price"),
        ({"take_profit_price": Decimal(50001)}, "take-profit-on-wrong-side"),
        (
            {"order_type": OrderType.LIMIT, "limit_price": Decimal(51502)},
            "limit-through-market",
        ),
        ({"quantity": Decimal(0)}, "invalid-quantity"),
        ({"quantity": Decimal("Infinity")}, "invalid-quantity"),
        ({"quantity": Decimal("0.000000001")}, "invalid-quantity"),
        ({"quantity": Decimal("0.00001")}, "below-minimum"),
        ({"quantity": Decimal(5)}, "insufficient-balance"),
        ({"quantity": Decimal(1)}, "limit-exceeded"),
        ({"order_type": OrderType.LIMIT}, "invalid-price"),
        ({"order_type": OrderType.STOP_LOSS}, "invalid-price"),
        ({"take_profit_price": Decimal(50100)}, "not-worth-costs"),
        ({"trailing_distance": Decimal(50001)}, "invalid-exits"),
        ({"exits": ExitsChange(trailing_share=Decimal(1))}, "invalid-exits"),
        ({"exits": ExitsChange(break_even_offset=Decimal("0.01"))}, "break-even-never"),
        (
            {
                "exits": ExitsChange(
                    break_even_gain=Decimal("0.02"), break_even_offset=Decimal("0.02")
                )
            },
            "break-even-never",
        ),
        ({"exits": ExitsChange(partials=(PartialTake(ZERO, HALF),))}, "invalid-exits"),
        ({"exits": ExitsChange(partials=(PartialTake(-HALF, HALF),))}, "invalid-exits"),
        (
            {
                "take_profit_price": Decimal(55000),
                "exits": ExitsChange(partials=(PartialTake(Decimal("0.1"), HALF),)),
            },
            "partial-never",
        ),
    ],
)
def test_open_refused_with_its_code_and_books_unchanged(
    changes: dict[str, object], code: str
) -> None:
    state = an_account()
    decision = decide(state, a_request(**changes))
    assert decision.answer is not None
    assert decision.answer.code == code
    assert not any(isinstance(c, EnterTrade) for c in decision.commands)
    assert decision.state.trades == state.trades
    assert decision.state.balances == state.balances


def test_entry_is_refused_while_the_value_of_the_account_is_unknown() -> None:
    held = {"USD": Decimal(100_000), "ETH": Decimal(1)}
    refused = decide(an_account(balances=held), a_request()).answer
    assert refused is not None
    assert refused.code == "equity-unknown"
    assert "no price of ETH/USD is known" in refused.detail
    priced = an_account(balances=held, prices={"ETH/USD": Decimal(3000)})
    assert _code(priced) == "accepted"
    # What no pair values counts as nothing, and holds nobody back.
    assert (
        _code(an_account(balances={**held, "ETH": Decimal(0), "DOT.S": Decimal(9)})) == "accepted"
    )


def _code(state: AccountState) -> str:
    answer = decide(state, a_request()).answer
    assert answer is not None
    return answer.code


def test_pair_that_is_not_online_is_refused() -> None:
    instrument = an_instrument(status=InstrumentStatus.CANCEL_ONLY)
    state = an_account(instruments={"BTC/USD": instrument})
    answer = decide(state, a_request()).answer
    assert answer is not None
    assert answer.code == "pair-not-trading"


def test_repeated_request_is_answered_and_not_obeyed() -> None:
    first = decide(an_account(), a_request())
    again = decide(first.state, a_request())
    assert again.commands == ()
    assert again.answer is not None
    assert first.answer is not None
    assert (again.answer.code, again.answer.trade) == (first.answer.code, first.answer.trade)


def test_idea_is_sized_rounded_recorded_and_taken_once() -> None:
    first = decide(an_account(), an_idea())
    entered = [c for c in first.commands if isinstance(c, EnterTrade)]
    assert [c.trade for c in first.commands if isinstance(c, RecordIdea)] == [1]
    plan = entered[0].plan
    assert plan.stop_price == Decimal("49000.1")
    assert plan.take_profit_price == Decimal("53000.0")
    assert plan.trailing_distance == Decimal("1000.0")
    # 0.3 percent above the ask of 50001, down to the tick.
    assert plan.entry.order_type is OrderType.LIMIT
    assert plan.entry.time_in_force is TimeInForce.IOC
    assert plan.entry.limit_price == Decimal("50151.0")
    assert decide(first.state, an_idea()).commands == ()


def test_refused_idea_is_recorded_with_its_reasons() -> None:
    decision = decide(an_account(), an_idea(evidence=an_evidence("0.005")))
    (record,) = decision.commands
    assert isinstance(record, RecordIdea)
    assert record.trade is None
    assert [c.rule for c in record.verdict.failures] == ["R-6"]


def test_attached_protection_sends_the_stop_with_the_entry() -> None:
    decision = decide(an_account(protection=ProtectionMode.ATTACHED), a_request())
    entered = next(c for c in decision.commands if isinstance(c, EnterTrade))
    assert entered.plan.entry.close is not None
    assert entered.plan.entry.close.trigger_price == Decimal(49000)


def test_kill_switch_withdraws_flattens_acknowledges_once_and_lifts_by_its_number() -> None:
    state = decide(an_account(), a_request()).state
    engaged = KillSwitchEngaged(7, flatten=True, reason="drill", by="director", at=START)
    decision = decide(state, engaged)
    kinds = [type(c) for c in decision.commands]
    assert kinds[:3] == [WithdrawEntries, CloseTrades, AcknowledgeKillSwitch]
    assert decide(decision.state, engaged).commands == (AcknowledgeKillSwitch(7),)
    answer = decide(decision.state, a_request(2)).answer
    assert answer is not None
    assert answer.code == "kill-switch-engaged"
    other = decide(decision.state, KillSwitchLifted(6, "director", START)).state
    assert other.is_halted
    lifted = decide(decision.state, KillSwitchLifted(7, "director", START)).state
    assert not lifted.is_halted
    assert decide(lifted, engaged).commands == (AcknowledgeKillSwitch(7),)


def test_exchange_lost_and_ready_halt_and_lift_and_keep_trades_out_of_the_base() -> None:
    state = decide(an_account(), a_request()).state
    summary = replace(
        state.trades[1], bought=Decimal("0.1"), cash_flow=Decimal(-5000), reserved_cash=Decimal(0)
    )
    state = decide(state, TradeProgressed(summary, closed=False, at=START)).state
    lost = decide(state, ExchangeLost("no connection", START)).state
    assert [h.kind for h in lost.halts] == [HaltKind.NO_EXCHANGE]
    ready = ExchangeReady(
        {"USD": Decimal(95000), "BTC": Decimal("0.1")}, state.instruments, state.fees, START
    )
    back = decide(lost, ready).state
    assert not back.is_halted
    assert back.cash == Decimal(95000)
    assert back.balances["USD"] == Decimal(100000)
    inconsistent = decide(back, replace(ready, orders_consistent=False)).state
    assert [h.kind for h in inconsistent.halts] == [HaltKind.INCONSISTENT]
    sold = replace(summary, sold=Decimal("0.1"), cash_flow=Decimal(100))
    closed = decide(back, TradeProgressed(sold, closed=True, at=START)).state
    assert closed.trades == {}
    assert closed.balances == {"USD": Decimal(100100), "BTC": Decimal(0)}
    repeated = decide(closed, TradeProgressed(sold, closed=True, at=START))
    assert repeated.state == closed


def test_pair_that_is_gone_stays_known_as_delisted_and_takes_no_entries() -> None:
    state = decide(an_account(), a_request()).state
    pairs = {s: pair for s, pair in state.instruments.items() if s != "BTC/USD"}
    ready = ExchangeReady(state.balances, pairs, state.fees, START)
    told = decide(state, ready).state
    assert told.instruments["BTC/USD"].status is InstrumentStatus.DELISTED
    assert told.trades == state.trades
    asked = replace(a_request(), request_id="again")
    assert decide(told, asked).answer.code == "pair-not-trading"
    back = ExchangeReady(state.balances, state.instruments, state.fees, START)
    assert decide(told, back).state.instruments == state.instruments


def test_balances_of_the_exchange_are_taken_over_only_when_nothing_can_be_under_way() -> None:
    state = decide(an_account(), a_request()).state
    # The exchange's total holds a fill that the trade has not told of yet: counting both would
    # count it twice.
    told = {"USD": Decimal(95000), "BTC": Decimal("0.1")}
    ready = ExchangeReady(told, state.instruments, state.fees, START)
    assert decide(state, ready).state.balances == {"USD": Decimal(100000)}
    summary = replace(
        state.trades[1], bought=Decimal("0.1"), sold=Decimal("0.1"), cash_flow=Decimal(100)
    )
    closed = decide(state, TradeProgressed(summary, closed=True, at=START)).state
    assert decide(closed, ready).state.balances == closed.balances
    later = replace(ready, balances={"USD": Decimal(105100)}, at=START + timedelta(minutes=1))
    # Without a look at the ledger it may be a deposit, and at first sight one that it will tell of.
    assert decide(closed, later).state.balances == closed.balances
    looked = replace(later, flows=(), orders_consistent=True)
    doubted = decide(closed, looked).state
    assert doubted.balances == closed.balances
    taken = decide(doubted, looked)
    assert taken.state.balances == {"USD": Decimal(105100)}
    actions = [c.action for c in taken.commands if isinstance(c, RecordAccount)]
    assert "balances_taken_over" in actions


def test_live_is_refused_and_unknown_trades_and_limits_too() -> None:
    state = an_account()
    bad = AccountLimits(risk_share=Decimal("NaN"))
    for fact, code in (
        (ModeChangeRequested("a", "d", Mode.LIVE, START), "live-refused"),
        (ModeChangeRequested("b", "d", Mode.SIMULATED, START), "accepted"),
        (TradeCloseRequested("c", "d", 9, START), "unknown-trade"),
        (LimitsChangeRequested("e", "d", bad, START), "invalid-limits"),
    ):
        answer = decide(state, fact).answer
        assert answer is not None
        assert answer.code == code


def _entries(state: AccountState, fact: OpenRequested | IdeaArrived) -> list[EnterTrade]:
    return [c for c in decide(state, fact).commands if isinstance(c, EnterTrade)]


@settings(max_examples=150, deadline=None)
@given(
    cash=st.integers(min_value=0, max_value=10**6),
    orders=st.lists(
        st.tuples(
            st.sampled_from(("BTC/USD", "ETH/USD")),
            st.integers(min_value=100, max_value=90000),
            st.integers(min_value=1, max_value=5000),
            st.one_of(st.none(), st.decimals(min_value="0.0001", max_value="20", places=4)),
            st.booleans(),
        ),
        max_size=12,
    ),
)
def test_no_sequence_of_requests_exceeds_a_limit_or_the_cash(
    cash: int, orders: list[tuple[str, int, int, Decimal | None, bool]]
) -> None:
    state = an_account(str(cash))
    for number, (symbol, price, stop_share, quantity, limited) in enumerate(orders):
        market = a_market(symbol, str(price), str(price + 1), seconds=number)
        stop = Decimal(price) * (1 - Decimal(stop_share) / 10000)
        request = a_request(
            number,
            symbol=symbol,
            market=market,
            stop_price=stop,
            quantity=quantity,
            order_type=OrderType.LIMIT if limited else OrderType.MARKET,
            limit_price=Decimal(price) if limited else None,
        )
        decision = decide(state, request)
        assert decision.answer is not None
        state = decision.state
        assert state.available_cash >= 0
        if not decision.answer.accepted:
            continue
        equity, limits = equity_last_known(state), state.limits
        assert portfolio.pair_exposure(state, symbol) <= equity * limits.pair_exposure_share
        assert portfolio.gross_exposure(state) <= equity * limits.gross_exposure_share
        assert len(state.trades) <= limits.open_trades_maximum


@pytest.mark.parametrize("style", ["rest_then_take", "rest_only"])
def test_an_entry_that_rests_first_lies_at_the_bid_and_is_promised_cash_up_to_its_collar(
    style: str,
) -> None:
    state = an_account()
    chosen = SettingsInForce(1, f'{{"execution.entry_style":"{style}"}}')
    state = replace(state, settings=chosen)
    decision = decide(state, a_request(quantity=Decimal("0.1")))
    (entered,) = [c for c in decision.commands if isinstance(c, EnterTrade)]
    entry = entered.plan.entry
    assert (entry.limit_price, entry.post_only, entry.time_in_force) == (
        Decimal("50000.0"),
        True,
        TimeInForce.GTC,
    )
    assert entered.plan.entry_ceiling == Decimal("50151.0")
    promised = decision.state.trades[1].reserved_cash
    assert promised == Decimal("0.1") * Decimal("50151.0") * Decimal("1.004")
    assert entered.record is not None
    costs = entered.record.costs
    assert costs is not None
    # What may only rest pays the maker's rate; what may cross is judged as if it did.
    rest_only = style == "rest_only"
    assert costs.entry_fee == Decimal("0.0025" if rest_only else "0.004")
