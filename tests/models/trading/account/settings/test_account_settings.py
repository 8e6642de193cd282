"""Settings in force on the account's own decisions, and the rules of an entry wired to them."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.account.capital import portfolio
from models.trading.account.decisions import decide
from models.trading.account.entries.record import EntryRecord
from models.trading.account.entries.worth import FeeSource
from models.trading.account.equity import equity_last_known, equity_now
from models.trading.account.facts import (
    EnterTrade,
    IdeaArrived,
    LimitsChangeRequested,
    OpenRequested,
    RecordAccount,
    SettingsChangeRequested,
    TradeProgressed,
    UniverseUpdated,
)
from models.trading.account.rules import rules_in_force
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState
from models.trading.answers import WAITING, Answer
from models.trading.governance.approval import ApprovalSettled, ApprovalStatus, RequestApproval
from models.trading.governance.subjects import Subject
from models.trading.ideas import Idea
from models.trading.orders import OrderType
from models.trading.risk.limits import AccountLimits, Mode
from models.trading.risk.portfolio import LossStreak
from models.trading.universe.fees import BOTTOM_TIER
from tests.models.trading.trading_builders import START, a_market, an_account, an_instrument


def a_change(number: int = 1, **changed: object) -> SettingsChangeRequested:
    request = SettingsChangeRequested(
        f"c-{number}", "Dora", '{"risk.risk_share":"0.002"}', "less at risk", START
    )
    return replace(request, **changed)  # type: ignore[arg-type]


def an_order(number: int = 1, symbol: str = "BTC/USD", **changed: object) -> OpenRequested:
    request = OpenRequested(
        request_id=f"r-{number}",
        by="Dora",
        symbol=symbol,
        order_type=OrderType.MARKET,
        stop_price=Decimal(47500),
        market=a_market(symbol),
        at=START,
    )
    return replace(request, **changed)  # type: ignore[arg-type]


def an_idea(number: int = 1, symbol: str = "BTC/USD") -> IdeaArrived:
    idea = Idea(
        idea_id=f"i-{number}",
        strategy="trend",
        strategy_version="1",
        symbol=symbol,
        bar_start=START,
        expires_at=START + timedelta(hours=1),
        stop_price=Decimal(49000),
        take_profit_price=Decimal(55000),
        trailing_distance=None,
    )
    return IdeaArrived(idea, a_market(symbol), START)


def answered(state: AccountState, fact: object) -> tuple[AccountState, Answer]:
    decision = decide(state, fact)  # type: ignore[arg-type]
    assert decision.answer is not None
    return decision.state, decision.answer


def entry_of(state: AccountState, fact: OpenRequested | IdeaArrived) -> EntryRecord:
    decision = decide(state, fact)
    entered = next(c for c in decision.commands if isinstance(c, EnterTrade))
    written = next(c for c in decision.commands if isinstance(c, RecordAccount) and c.entry)
    assert written.entry is not None
    assert entered.record == written.entry
    assert entered.plan.settings_version == written.entry.settings_version
    return written.entry


def test_a_change_counts_from_the_next_decision_and_is_written_once() -> None:
    before = entry_of(an_account(), an_order())
    decision = decide(an_account(), a_change())
    assert decision.answer is not None
    assert (decision.answer.accepted, decision.answer.settings_version) == (True, 1)
    (record,) = decision.commands
    assert isinstance(record, RecordAccount)
    assert record.action == "settings_changed"
    assert ("risk.risk_share", '"0.005" -> "0.002"') in record.details
    assert record.settings is not None
    assert (record.settings.version, record.settings.author) == (1, "Dora")
    assert json.loads(record.settings.values)["risk.risk_share"] == "0.002"
    after = entry_of(decision.state, an_order())
    assert (before.settings_version, after.settings_version) == (0, 1)
    assert after.quantity < before.quantity
    again = decide(decision.state, a_change())
    assert (again.commands, again.state) == ((), decision.state)
    assert again.answer == decision.answer


def test_what_lets_more_be_lost_is_confirmed_and_named() -> None:
    updates = '{"drawdown.hard_share":"0.06","hedge.trade_band":"0.06"}'
    state, refused = answered(an_account(), a_change(updates=updates))
    assert (refused.code, refused.dangerous) == ("confirmation-needed", ("drawdown.hard_share",))
    assert state.settings.version == 0
    decision = decide(state, a_change(2, updates=updates, confirmed=True))
    assert decision.answer is not None
    assert decision.answer.dangerous == ("drawdown.hard_share",)
    assert decision.state.drawdown_limits.hard_share == Decimal("0.06")
    record = next(c for c in decision.commands if isinstance(c, RecordAccount) and c.settings)
    assert ("dangerous", "drawdown.hard_share") in record.details


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"updates": "no json"}, "invalid-setting"),
        ({"updates": "[]"}, "invalid-setting"),
        ({"updates": '{"risk.risk_share":"2"}'}, "invalid-setting"),
        ({"updates": '{"no.such":1}'}, "invalid-setting"),
        ({"updates": '{"risk.risk_share":"0.005"}'}, "invalid-change"),
        ({"reason": " "}, "invalid-change"),
        ({"based_on": 3}, "outdated-change"),
    ],
)
def test_a_change_is_refused_whole(changed: dict[str, object], code: str) -> None:
    state, answer = answered(an_account(), a_change(**changed))
    assert answer.code == code
    assert state.settings == SettingsInForce()


def test_limits_set_as_a_whole_are_a_version_too() -> None:
    limits = replace(AccountLimits(), open_trades_maximum=100, open_trades_per_pair=100)
    state, answer = answered(an_account(), LimitsChangeRequested("l-1", "Dora", limits, START))
    assert (answer.accepted, state.settings.version, state.limits) == (True, 1, limits)
    assert rules_in_force(state).portfolio.trades_maximum == 100
    same, answer = answered(state, LimitsChangeRequested("l-2", "Dora", limits, START))
    assert (answer.accepted, same.settings.version) == (True, 1)


def test_the_record_shows_every_cap_and_which_one_bound() -> None:
    record = entry_of(an_account(), an_order())
    names = {cap.name for cap in record.caps}
    assert {"risk", "cash", "pair exposure", "gross exposure"} <= names
    assert record.binding == min(record.caps, key=lambda cap: cap.quantity).name
    assert record.costs is not None
    assert record.costs.fee_source is FeeSource.ACCOUNT
    wanted = entry_of(an_account(), replace(an_order(), quantity=Decimal("0.001")))
    assert (wanted.caps, wanted.binding) == (record.caps, None)
    stranger = replace(an_account(), fees={})
    dear = entry_of(stranger, an_order())
    assert dear.costs is not None
    assert dear.costs.fee_source is FeeSource.PUBLISHED_BOTTOM_TIER
    assert dear.costs.entry_fee == BOTTOM_TIER.taker


def test_correlated_pairs_share_one_limit() -> None:
    instruments = {s: an_instrument(s) for s in ("BTC/USD", "ETH/USD", "SOL/USD")}
    state = an_account(
        instruments=instruments,
        settings=SettingsInForce(0, '{"portfolio.group_share":"0.25"}'),
        groups={"BTC/USD": "majors", "ETH/USD": "majors", "SOL/USD": "other"},
    )
    state, first = answered(state, an_order(1, quantity=Decimal("0.3"), stop_price=Decimal(49250)))
    assert first.accepted
    _, second = answered(
        state, an_order(2, "ETH/USD", quantity=Decimal("0.3"), stop_price=Decimal(49250))
    )
    assert second.code == "limit-exceeded"
    assert "group majors" in second.detail
    _, other = answered(
        state, an_order(3, "SOL/USD", quantity=Decimal("0.3"), stop_price=Decimal(49250))
    )
    assert other.accepted


def test_a_loop_that_runs_away_is_stopped() -> None:
    state = an_account(settings=SettingsInForce(0, '{"portfolio.orders_maximum":2}'))
    small = {"quantity": Decimal("0.01")}
    state, _ = answered(state, an_order(1, **small))
    state, _ = answered(state, an_order(2, **small))
    state, third = answered(state, an_order(3, "ETH/USD", **small))
    assert third.code == "order-rate-exceeded"
    later = a_market("ETH/USD", seconds=601)
    state, fourth = answered(state, an_order(4, "ETH/USD", market=later, **small))
    assert fourth.accepted
    assert len(state.entry_orders) == 1


def lost(state: AccountState, number: int, flow: str) -> AccountState:
    summary = state.trades[number]
    bought = Decimal("0.01")
    closed = replace(
        summary, bought=bought, sold=bought, cash_flow=Decimal(flow), reserved_cash=Decimal(0)
    )
    return decide(state, TradeProgressed(closed, True, START)).state


def test_losses_of_strategies_in_a_row_pause_them_and_nobody_else() -> None:
    state = an_account()
    for number in range(1, 5):
        decision = decide(state, an_idea(number))
        state = lost(decision.state, number, "-10")
    assert state.losses == LossStreak(4, START)
    paused = decide(state, an_idea(5))
    assert not any(isinstance(c, EnterTrade) for c in paused.commands)
    _, by_hand = answered(paused.state, an_order(6))
    assert by_hand.accepted
    won = replace(state, losses=LossStreak(3, START))
    won = lost(decide(won, an_idea(7)).state, 5, "10")
    assert won.losses == LossStreak()


def told(version: int, **values: object) -> UniverseUpdated:
    return UniverseUpdated(
        0, (), {}, 0, {}, START, SettingsInForce(version, json.dumps({**values}))
    )


def test_what_the_platform_forbids_is_refused_and_audited_also_for_strategies() -> None:
    fact = told(2, **{"compliance.sanctioned": ["BTC"]})
    state = decide(an_account(), fact).state
    assert state.platform.version == 2
    assert decide(state, told(1)).state.platform.version == 2
    _, answer = answered(state, an_order())
    assert answer.code == "sanctioned-asset"
    refused = decide(state, an_idea())
    audited = [c for c in refused.commands if isinstance(c, RecordAccount)]
    assert [(c.action, c.actor) for c in audited] == [("trade_refused", "strategy/trend")]
    assert ("code", "sanctioned-asset") in audited[0].details


def test_a_stablecoin_off_its_peg_is_not_bought_until_it_is_back() -> None:
    coin = an_instrument("USDC/USD", price_precision=4, price_increment=Decimal("0.0001"))
    state = an_account(instruments={"USDC/USD": coin})

    def asked(state: AccountState, number: int, price: str) -> tuple[AccountState, Answer]:
        market = a_market("USDC/USD", price, price, seconds=number)
        order = an_order(
            number, "USDC/USD", market=market, stop_price=Decimal("0.9"), quantity=Decimal(100)
        )
        return answered(state, order)

    state, first = asked(state, 1, "0.9700")
    assert first.code == "stablecoin-off-peg"
    assert state.off_peg == ("USDC",)
    state, second = asked(state, 2, "0.9920")
    assert second.code == "stablecoin-off-peg"
    state, third = asked(state, 3, "0.9990")
    assert (third.code, state.off_peg) == ("accepted", ())


STEP = st.one_of(
    st.tuples(st.just("idea"), st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"])),
    st.tuples(st.just("ask"), st.sampled_from(["BTC/USD", "ETH/USD", "SOL/USD"])),
    st.tuples(st.just("fill"), st.integers(1, 12)),
    st.tuples(st.just("close"), st.integers(1, 12)),
    st.tuples(st.just("settings"), st.integers(1, 9)),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(STEP, st.integers(30_000, 90_000)), max_size=25))
def test_no_sequence_of_facts_enters_above_a_limit_or_beyond_the_cash(
    steps: list[tuple[tuple[str, object], int]],
) -> None:
    pairs = ("BTC/USD", "ETH/USD", "SOL/USD")
    groups = {"BTC/USD": "majors", "ETH/USD": "majors", "SOL/USD": "other"}
    state = an_account(instruments={s: an_instrument(s) for s in pairs}, groups=groups)
    for number, ((action, what), price) in enumerate(steps, start=1):
        before = len(state.trades)
        state = _acted(state, number, action, what, Decimal(price))
        assert state.available_cash >= 0
        assert state.balances["USD"] >= 0
        if len(state.trades) > before:
            _within_limits(state)


def _acted(
    state: AccountState, number: int, action: str, what: object, price: Decimal
) -> AccountState:
    if action == "settings":
        share = json.dumps({"portfolio.group_share": f"0.{what}"})
        change = a_change(number, updates=share, confirmed=True)
        return decide(state, change).state
    if action in ("fill", "close"):
        assert isinstance(what, int)
        return _progressed(state, what, price, closed=action == "close")
    assert isinstance(what, str)
    market = a_market(what, str(price), str(price + 1), seconds=number)
    if action == "ask":
        order = an_order(number, what, market=market, stop_price=price * Decimal("0.99"))
        return decide(state, order).state
    arrived = an_idea(number, what)
    idea = replace(
        arrived.idea,
        stop_price=price * Decimal("0.98"),
        take_profit_price=price * Decimal("1.2"),
    )
    return decide(state, IdeaArrived(idea, market, START)).state


def _progressed(state: AccountState, trade: int, price: Decimal, *, closed: bool) -> AccountState:
    summary = state.trades.get(trade)
    if summary is None:
        return state
    if not closed and summary.bought == 0:
        # Filled at what was promised: the worst that an entry can come to.
        quantity = summary.reserved_cash / price
        summary = replace(
            summary,
            bought=quantity,
            cash_flow=-summary.reserved_cash,
            reserved_cash=Decimal(0),
            entry_open=False,
        )
    elif closed:
        received = summary.cash_flow + summary.bought * price * Decimal("0.99")
        summary = replace(
            summary, sold=summary.bought, cash_flow=received, reserved_cash=Decimal(0)
        )
    return decide(state, TradeProgressed(summary, closed, START)).state


def _within_limits(state: AccountState) -> None:
    rules, equity = rules_in_force(state), equity_last_known(state)
    exposures = {s: portfolio.pair_exposure(state, s) for s in portfolio.symbols(state)}
    newest = state.trades[max(state.trades)].symbol
    group = sum(
        value for s, value in exposures.items() if state.groups.get(s) == state.groups[newest]
    )
    assert exposures[newest] <= equity * rules.portfolio.pair_share
    assert group <= equity * rules.portfolio.group_share
    assert sum(exposures.values()) <= equity * rules.portfolio.gross_share
    assert len(state.trades) <= rules.portfolio.trades_maximum


def test_a_freeze_holds_what_loosens_and_lets_pass_what_tightens() -> None:
    looser = a_change(updates='{"risk.risk_share":"0.006"}', confirmed=True, frozen="the weekend")
    state, answer = answered(an_account(), looser)
    assert (answer.code, state.settings.version) == ("change-frozen", 0)
    assert "the weekend" in answer.detail
    undirected = a_change(updates='{"hedge.react_share":"0.5"}', frozen="the weekend")
    assert answered(an_account(), undirected)[1].code == "change-frozen"
    assert answered(an_account(), a_change(frozen="the weekend"))[1].accepted
    limits = LimitsChangeRequested(
        "l-1", "Dora", AccountLimits(risk_share=Decimal("0.006")), START, frozen="the weekend"
    )
    assert not answered(an_account(), limits)[1].accepted


def test_of_real_money_nobody_lets_more_be_lost_alone() -> None:
    looser = a_change(updates='{"risk.risk_share":"0.006"}', confirmed=True)
    assert answered(an_account(), looser)[1].accepted
    live = replace(an_account(), mode=Mode.LIVE)
    decision = decide(live, looser)
    assert decision.answer is not None
    assert decision.answer.code == WAITING
    asked = next(c for c in decision.commands if isinstance(c, RequestApproval))
    assert asked.request.subject is Subject.CHANGE_SETTINGS
    assert answered(live, replace(looser, confirmed=False))[1].code == "confirmation-needed"
    assert answered(live, a_change())[1].accepted
    settled = ApprovalSettled(
        asked.request.request_id, ApprovalStatus.APPROVED, "another", None, START
    )
    done, answer = answered(decision.state, settled)
    assert answer.accepted
    assert done.settings.version == 1


def test_equity_counts_the_fee_of_selling_where_the_settings_say_so() -> None:
    account = an_account(
        balances={"USD": Decimal(1000), "ETH": Decimal(2)}, prices={"ETH/USD": Decimal(500)}
    )
    assert equity_now(account) == 2000
    asked = a_change(updates='{"valuation.exit_fee_share":"0.008"}', confirmed=True)
    changed = decide(account, asked).state
    assert changed.settings.version == 1
    assert equity_now(changed) == Decimal(1992)
