"""An account's drawdown and day as it decides on them: levels, halts, boundaries, baselines."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.account.capital.drawdown import boundary_after
from models.trading.account.capital.facts import (
    DayBoundaryPassed,
    DrawdownLiftRequested,
    PricesMarked,
    RecordBaseline,
    RecordDay,
    TradeExecuted,
)
from models.trading.account.decision import AccountDecision
from models.trading.account.decisions import decide
from models.trading.account.equity import equity_now
from models.trading.account.facts import (
    CloseTrades,
    EnterTrade,
    ExchangeReady,
    OpenRequested,
    RecordAccount,
    ResumeRequested,
    TradeProgressed,
    WithdrawEntries,
)
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState, HaltKind
from models.trading.answers import WAITING
from models.trading.capital.flows import CapitalFlow, FlowSource
from models.trading.governance.approval import ApprovalSettled, ApprovalStatus
from models.trading.orders import OrderType
from models.trading.risk.drawdown_limits import PositionsOnHalt
from models.trading.risk.limits import AccountLimits, FeeRates
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradePhase
from models.trading.trading_day import DayBoundary, DayRule
from tests.models.trading.account.hedge.test_account_hedge import a_trade
from tests.models.trading.rules_builders import with_rules
from tests.models.trading.trading_builders import START, a_market, an_account

FEE = Decimal("0.004")
WIDE = AccountLimits(
    risk_share=Decimal("0.3"),
    pair_exposure_share=Decimal("0.9"),
    gross_exposure_share=Decimal("0.95"),
)
SETTINGS = SettingsInForce(0, '{"portfolio.group_share":"0.95","portfolio.bucket_share":"0.95"}')
NEXT_DAY = START.replace(hour=0) + timedelta(days=1)


LOSS_HALTS = (HaltKind.DAY_PEAK_LOSS, HaltKind.WEEK_LOSS, HaltKind.MONTH_LOSS)


def drawdown_halts(state: AccountState) -> set[HaltKind]:
    """Return the halts but those of the loss limits, which have tests of their own."""
    return {halt.kind for halt in state.halts} - set(LOSS_HALTS)


def prices(price: object, seconds: float = 60, symbol: str = "BTC/USD") -> PricesMarked:
    at = START + timedelta(seconds=seconds)
    return PricesMarked({symbol: Decimal(str(price))}, at, at)


def holding(cash: str = "50000", coins: str = "1", **changes: object) -> AccountState:
    """An account with half of 100,000 USD in bitcoin at 50,000."""
    state = an_account(
        balances={"USD": Decimal(cash), "BTC": Decimal(coins)}, drawdown=None, **changes
    )
    return decide(state, prices(50000, 0)).state


def actions(decision: AccountDecision) -> list[str | None]:
    return [c.action for c in decision.commands if isinstance(c, RecordAccount)]


def boundary(at: datetime = NEXT_DAY, **changes: object) -> DayBoundaryPassed:
    passed = DayBoundary(at, at.date() - timedelta(days=1), at.date())
    fact = DayBoundaryPassed(passed, {"BTC/USD": Decimal(50000)}, {}, at)
    return replace(fact, **changes)  # type: ignore[arg-type]


def test_measuring_begins_with_the_first_price_of_everything_held() -> None:
    state = an_account(balances={"USD": Decimal(50000), "BTC": Decimal(1)}, drawdown=None)
    other = decide(state, prices(3000, symbol="ETH/USD"))
    assert other.state.drawdown is None
    begun = decide(other.state, prices(50000))
    assert begun.state.drawdown is not None
    assert begun.state.drawdown.opening_equity == 100000
    assert any(isinstance(command, RecordBaseline) for command in begun.commands)


def test_nothing_is_measured_while_a_price_is_missing() -> None:
    state = holding()
    with_ether = replace(state, balances={**state.balances, "ETH": Decimal(2)})
    blind = decide(with_ether, prices(10))
    fallen = blind.state
    assert fallen.drawdown == state.drawdown
    assert [halt.kind for halt in fallen.halts] == [HaltKind.UNMEASURED]
    assert "ETH/USD" in fallen.halts[0].reason
    assert actions(blind) == ["entries_halted"]
    assert actions(decide(fallen, prices(11, 65))) == [], "said once"
    seen = decide(fallen, prices(3000, 70, "ETH/USD"))
    assert "entries_free_again" in actions(seen)
    assert drawdown_halts(seen.state) == {HaltKind.DAILY_DRAWDOWN, HaltKind.TOTAL_DRAWDOWN}


def test_asset_that_is_listed_nowhere_counts_nothing() -> None:
    state = holding()
    gifted = replace(state, balances={**state.balances, "XYZ": Decimal(9)})
    assert equity_now(gifted) == equity_now(state) == 100000


def test_soft_level_is_recorded_and_hard_level_halts_for_the_day() -> None:
    soft = decide(holding(), prices(47000))
    assert not soft.state.is_halted
    assert actions(soft) == [None]
    hard = decide(soft.state, prices(45000, 120))
    assert [h.kind for h in hard.state.halts] == [HaltKind.DAILY_DRAWDOWN]
    assert actions(hard) == ["drawdown_halted"]
    refused = decide(hard.state, _request(1, market=a_market(seconds=130)))
    assert refused.answer is not None
    assert refused.answer.code == "daily-drawdown"
    recovered = decide(hard.state, prices(55000, 180)).state
    assert recovered.is_halted
    resumed = decide(recovered, ResumeRequested("r", "director", START)).state
    assert resumed.is_halted


def test_hard_level_withdraws_entries_and_closes_positions_as_set() -> None:
    state = _with_trade(with_rules(holding(), positions=PositionsOnHalt.CLOSE))
    decision = decide(state, prices(40000, 90))
    closing = [c for c in decision.commands if isinstance(c, CloseTrades)]
    assert closing == [CloseTrades((1,), ExitReason.DRAWDOWN, "aether")]
    withdrawn = [c for c in decision.commands if isinstance(c, WithdrawEntries)]
    assert [w.trades for w in withdrawn] == [(1,)]
    kept = decide(_with_trade(holding()), prices(40000, 90))
    assert not any(isinstance(command, CloseTrades) for command in kept.commands)


def test_day_is_closed_once_and_lifts_only_the_daily_halt() -> None:
    state = decide(holding(), prices(28000, 120)).state
    assert drawdown_halts(state) == {HaltKind.DAILY_DRAWDOWN, HaltKind.TOTAL_DRAWDOWN}
    late = decide(state, prices(30000, 20 * 3600)).state
    assert late.drawdown.equity == 80000, "measured while the day waits for its closing"
    assert late.drawdown.day == state.drawdown.day
    closed = decide(late, boundary(prices={"BTC/USD": Decimal(29000)}))
    (day,) = [c.record for c in closed.commands if isinstance(c, RecordDay)]
    assert (day.day, day.closing_equity, day.profit) == (START.date(), 79000, -21000)
    assert day.halted
    assert day.worst_share == Decimal("0.22")
    assert drawdown_halts(closed.state) == {HaltKind.TOTAL_DRAWDOWN}
    assert closed.state.drawdown is not None
    assert closed.state.drawdown.equity == 80000, "marked at the price of now"
    again = decide(closed.state, boundary(prices={"BTC/USD": Decimal(1)}))
    assert again == AccountDecision(closed.state, ())


def test_total_halt_is_lifted_by_people_only_and_the_best_begins_anew() -> None:
    state = decide(holding(), prices(28000, 120)).state
    asked = decide(state, DrawdownLiftRequested("l", "user/1", "seen", START))
    assert asked.answer is not None
    assert asked.answer.code == WAITING
    assert drawdown_halts(asked.state) == drawdown_halts(state)
    name = asked.answer.approval or ""
    for status in (ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED, ApprovalStatus.LAPSED):
        kept = decide(asked.state, ApprovalSettled(name, status, "user/2", None, START))
        assert drawdown_halts(kept.state) == drawdown_halts(state)
    approved = ApprovalSettled(name, ApprovalStatus.APPROVED, "user/2", None, START)
    since = tuple(replace(h, since=h.since + timedelta(hours=1)) for h in state.halts)
    anew = decide(replace(asked.state, halts=since), approved)
    assert anew.answer is not None
    assert anew.answer.code == "halted-since"
    lifted = decide(asked.state, approved)
    assert lifted.answer is not None
    assert lifted.answer.accepted
    assert drawdown_halts(lifted.state) == {HaltKind.DAILY_DRAWDOWN}
    assert lifted.state.drawdown is not None
    assert lifted.state.drawdown.total_share == 0
    again = decide(lifted.state, DrawdownLiftRequested("m", "director", "seen", START))
    assert again.answer is not None
    assert again.answer.code == "not-halted"


def test_missed_days_are_closed_one_by_one_with_the_figures_of_each_boundary() -> None:
    state = holding()
    # While nothing ran a stop sold half a coin on the second day, for 23,000.
    sold = replace(state, balances={"USD": Decimal(73000), "BTC": Decimal("0.5")})
    moved = {"USD": Decimal(23000), "BTC": Decimal("-0.5")}
    first = decide(sold, boundary(prices={"BTC/USD": Decimal(49000)}, moved=moved))
    second_at = NEXT_DAY + timedelta(days=1)
    second = decide(first.state, boundary(second_at, prices={"BTC/USD": Decimal(46000)}))
    days = [c.record for d in (first, second) for c in d.commands if isinstance(c, RecordDay)]
    assert [day.closing_equity for day in days] == [99000, 96000]
    assert [day.profit for day in days] == [-1000, -3000]
    assert [day.opened_at for day in days] == [START, NEXT_DAY]


def test_execution_on_its_way_to_the_account_is_counted_on_the_right_side_of_the_boundary() -> None:
    whole = a_trade(bought=Decimal(1), cash_flow=Decimal(-50_000))
    state = replace(holding("100000", "0"), trades={1: whole})
    # The record has half of it sold for 23,000 after the boundary; the account was not told yet.
    moved = {"USD": Decimal(23_000), "BTC": Decimal("-0.5")}
    recorded = {1: TradeExecuted(Decimal(1), Decimal("0.5"), Decimal(-27_000))}
    fact = boundary(prices={"BTC/USD": Decimal(49_000)}, moved=moved, executed=recorded)
    told = replace(
        state, trades={1: replace(whole, sold=Decimal("0.5"), cash_flow=Decimal(-27_000))}
    )
    for account in (state, told):
        closed = decide(account, fact)
        (day,) = [c.record for c in closed.commands if isinstance(c, RecordDay)]
        assert day.closing_equity == 99_000
        assert closed.state.trades == account.trades


def test_flow_after_the_boundary_waits_for_the_day_it_belongs_to() -> None:
    state = holding()
    late = NEXT_DAY + timedelta(minutes=5)
    flow = CapitalFlow(
        "L1", "USD", Decimal(1000), Decimal(1000), late, FlowSource.LEDGER, "exchange"
    )
    ready = _ready(state, flow)
    told = decide(state, ready).state
    assert told.balances["USD"] == 51000
    assert told.drawdown == state.drawdown
    closed = decide(told, boundary(prices={"BTC/USD": Decimal(50000)}))
    (day,) = [c.record for c in closed.commands if isinstance(c, RecordDay)]
    assert (day.closing_equity, day.flows, day.profit) == (100000, 0, 0)
    assert closed.state.drawdown is not None
    assert closed.state.drawdown.flows == 1000
    assert not closed.state.waiting_flows


def test_boundaries_follow_the_clocks_of_the_zone() -> None:
    rule = DayRule("America/New_York")
    opened = datetime(2026, 3, 8, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    assert boundary_after(rule, opened) - opened == timedelta(hours=23)
    assert date(2026, 3, 9) == boundary_after(rule, opened).astimezone(rule.zone).date()


# --- properties ----------------------------------------------------------------------------------

MOVES = st.lists(
    st.tuples(
        st.decimals(Decimal("-0.04"), Decimal("0.04"), places=4),
        st.sampled_from(["hold", "hold", "open", "deposit", "withdraw"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(MOVES)
def test_no_more_is_lost_in_a_day_than_the_hard_level_and_one_gap(
    moves: list[tuple[Decimal, str]],
) -> None:
    """Everything is closed at a hard level; what is lost beyond it is one move and its exit."""
    state = with_rules(an_account(limits=WIDE, settings=SETTINGS), positions=PositionsOnHalt.CLOSE)
    limits, price, gap = state.drawdown_limits, Decimal(50000), Decimal(0)
    for number, (move, action) in enumerate(moves, start=1):
        seconds = number * 60
        before = state.drawdown.growth if state.drawdown else Decimal(1)
        price = (price * (1 + move)).quantize(Decimal("0.1"))
        state = _carried_out(decide(state, prices(price, seconds)), price, seconds)
        state = _acted(state, action, price, seconds)
        assert state.drawdown is not None
        gap = max(gap, 1 - state.drawdown.growth / before)
        lost = 1 - state.drawdown.lowest_growth
        assert lost <= limits.hard_share + gap
        assert equity_now(state) >= 0  # type: ignore[operator]
        assert state.available_cash >= 0
        if state.drawdown.daily_halted_at is not None:
            assert state.is_halted
            assert not state.trades


def _acted(state: AccountState, action: str, price: Decimal, seconds: int) -> AccountState:
    if action == "open":
        bid, ask = str(price - 1), str(price + 1)
        market = a_market(bid=bid, ask=ask, seconds=seconds)
        request = _request(seconds, market=market, stop_price=price * Decimal("0.8"))
        return _carried_out(decide(state, request), price, seconds)
    if action in ("deposit", "withdraw"):
        amount = Decimal(20000) if action == "deposit" else -min(Decimal(5000), state.cash / 2)
        at = START + timedelta(seconds=seconds)
        flow = CapitalFlow(f"L{seconds}", "USD", amount, amount, at, FlowSource.LEDGER, "exchange")
        return decide(state, _ready(state, flow)).state
    return state


def _carried_out(decision: AccountDecision, price: Decimal, seconds: int) -> AccountState:
    """Let the exchange fill entries and exits at once, at the price, with its fee."""
    state = decision.state
    at = START + timedelta(seconds=seconds)
    for command in decision.commands:
        if isinstance(command, EnterTrade):
            quantity = command.plan.entry.quantity
            bought = replace(
                state.trades[command.plan.number],
                phase=TradePhase.OPEN,
                bought=quantity,
                cash_flow=-quantity * price * (1 + FEE),
                reserved_cash=Decimal(0),
                entry_open=False,
            )
            following = decide(state, TradeProgressed(bought, closed=False, at=at))
            state = _carried_out(following, price, seconds)
        elif isinstance(command, CloseTrades):
            for trade in command.trades:
                one = state.trades[trade]
                proceeds = one.bought * price * (1 - FEE)
                sold = replace(one, sold=one.bought, cash_flow=one.cash_flow + proceeds)
                state = decide(state, TradeProgressed(sold, closed=True, at=at)).state
    return state


def _request(number: int, **changes: object) -> OpenRequested:
    values: dict[str, object] = {
        "request_id": f"r-{number}",
        "by": "director",
        "symbol": "BTC/USD",
        "order_type": OrderType.MARKET,
        "stop_price": Decimal(40000),
        "market": a_market(),
        "at": START,
    }
    return OpenRequested(**{**values, **changes})  # type: ignore[arg-type]


def _ready(state: AccountState, *flows: CapitalFlow) -> ExchangeReady:
    fees = {"BTC/USD": FeeRates(FEE, FEE)}
    totals = dict(state.balances)
    for flow in flows:
        totals[flow.asset] = totals.get(flow.asset, Decimal(0)) + flow.amount
    return ExchangeReady(totals, state.instruments, fees, START, flows=flows)


def _with_trade(state: AccountState) -> AccountState:
    quantity, price = Decimal("0.1"), Decimal(49000)
    request = _request(1, order_type=OrderType.LIMIT, limit_price=price, quantity=quantity)
    entered = decide(replace(state, limits=WIDE, settings=SETTINGS), request)
    assert entered.answer is not None
    assert entered.answer.accepted, entered.answer
    return entered.state


def test_losses_halt_between_a_boundary_and_the_closing_of_its_day() -> None:
    """100,000 at the opening; 6 % are lost after midnight, before the day is closed at 100,000."""
    late = NEXT_DAY - START + timedelta(seconds=30)
    state = holding()
    lost = decide(state, prices(38000, late.total_seconds()))
    assert HaltKind.DAILY_DRAWDOWN in {h.kind for h in lost.state.halts}
    closed = decide(lost.state, boundary(prices={"BTC/USD": Decimal(50000)}))
    (day,) = [c.record for c in closed.commands if isinstance(c, RecordDay)]
    assert (day.closing_equity, day.profit, day.worst_share) == (100000, 0, 0)
    # The same loss counts against the new day's opening, at once.
    assert closed.state.drawdown.day == NEXT_DAY.date()
    assert HaltKind.DAILY_DRAWDOWN in {h.kind for h in closed.state.halts}
    assert closed.state.drawdown.daily_share == Decimal("0.12")


def test_flow_of_the_next_day_is_no_loss_while_the_day_waits_for_its_closing() -> None:
    late = NEXT_DAY - START + timedelta(seconds=30)
    waiting = CapitalFlow(
        "F1", "USD", Decimal(-20000), Decimal(-20000), START + late, FlowSource.LEDGER, "exchange"
    )
    state = decide(holding(), prices(50000, late.total_seconds())).state
    balances = {**state.balances, "USD": state.balances["USD"] - 20000}
    taken = replace(state, balances=balances, waiting_flows=(waiting,))
    after = decide(taken, prices(50000, late.total_seconds() + 5)).state
    assert not after.is_halted
    assert after.drawdown.equity == 100000


def test_day_that_waits_too_long_for_its_closing_stops_entries_until_it_is_closed() -> None:
    seconds = (NEXT_DAY - START).total_seconds()
    state = holding()
    first = decide(state, prices(50000, seconds + 1)).state
    assert not first.is_halted
    almost = decide(first, prices(50000, seconds + 120)).state
    assert not almost.is_halted
    overdue = decide(almost, prices(50000, seconds + 122))
    assert [h.kind for h in overdue.state.halts] == [HaltKind.DAY_OVERDUE]
    assert "entries_halted" in actions(overdue)
    closed = decide(overdue.state, boundary(prices={"BTC/USD": Decimal(50000)}))
    assert not closed.state.is_halted
    assert "entries_free_again" in actions(closed)
    assert closed.state.day_due is None


def test_price_that_grew_too_old_makes_the_value_unknown_and_halts() -> None:
    old = replace(prices(50000), prices={}, unpriced=("BTC/USD",))
    blind = decide(holding(), old).state
    assert [halt.kind for halt in blind.halts] == [HaltKind.UNMEASURED]
    assert "BTC/USD" not in blind.prices
    assert not decide(blind, prices(50000, 90)).state.is_halted
