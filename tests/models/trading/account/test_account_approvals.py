"""Entries too large to go without a person: held, judged again, entered once or not at all."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from models.trading.account.approvals import WAITING_MAXIMUM
from models.trading.account.decisions import AccountDecision, decide
from models.trading.account.facts import (
    EnterTrade,
    IdeaArrived,
    KillSwitchEngaged,
    OpenRequested,
    RecordAccount,
    RecordIdea,
)
from models.trading.account.state import AccountState
from models.trading.answers import WAITING
from models.trading.governance.approval import (
    ApprovalPolicy,
    ApprovalSettled,
    ApprovalStatus,
    RequestApproval,
)
from models.trading.ideas import Idea
from models.trading.orders import OrderType
from tests.models.trading.trading_builders import START, a_market, an_account

POLICY = ApprovalPolicy(equity_share_minimum=Decimal("0.10"))


def careful(**changes: object) -> AccountState:
    return replace(an_account(), approval=POLICY, **changes)  # type: ignore[arg-type]


def a_request(name: str = "r-1", quantity: str = "0.3") -> OpenRequested:
    return OpenRequested(
        request_id=name,
        by="director",
        symbol="BTC/USD",
        order_type=OrderType.MARKET,
        stop_price=Decimal(49800),
        market=a_market(),
        at=START,
        quantity=Decimal(quantity),
    )


def asked(decision: AccountDecision) -> RequestApproval:
    (ask,) = [c for c in decision.commands if isinstance(c, RequestApproval)]
    return ask


def entered(decision: AccountDecision) -> list[EnterTrade]:
    return [c for c in decision.commands if isinstance(c, EnterTrade)]


def settle(
    ask: RequestApproval,
    status: ApprovalStatus = ApprovalStatus.APPROVED,
    price: str = "50000",
    seconds: int = 60,
) -> ApprovalSettled:
    market = a_market(bid=price, ask=str(Decimal(price) + 1), seconds=seconds)
    at = START + timedelta(seconds=seconds)
    return ApprovalSettled(ask.request.request_id, status, "second", market, at)


def test_large_entry_waits_and_is_entered_when_approved() -> None:
    first = decide(careful(), a_request())
    assert first.answer is not None
    assert (first.answer.code, first.answer.trade) == (WAITING, None)
    ask = asked(first)
    assert first.answer.approval == ask.request.request_id
    assert not entered(first)
    assert ask.request.requested_by == "director"
    assert ask.request.reference_price == Decimal("50000.5")
    assert ask.request.expires_at == START + POLICY.expires_after
    assert first.state.trades == {}
    second = decide(first.state, settle(ask))
    (command,) = entered(second)
    assert command.plan.entry.quantity == Decimal("0.3")
    assert command.plan.source == "request/r-1"
    assert second.answer is not None
    assert (second.answer.code, second.answer.trade) == ("accepted", 1)
    assert second.state.waiting == {}


def test_approval_waives_the_size_and_no_other_rule() -> None:
    first = decide(careful(), a_request())
    halted = decide(first.state, KillSwitchEngaged(1, False, "test", "director", START)).state
    refused = decide(halted, settle(asked(first)))
    assert refused.answer is not None
    assert refused.answer.code == "kill-switch-engaged"
    fallen = decide(first.state, settle(asked(first), price="49700"))
    assert fallen.answer is not None
    assert fallen.answer.code == "stop-on-wrong-side"
    poor = replace(first.state, balances={"USD": Decimal(1000)})
    without = decide(poor, settle(asked(first)))
    assert without.answer is not None
    assert not without.answer.accepted
    for decision in (refused, fallen, without):
        assert not entered(decision)
        assert decision.state.waiting == {}
        records = [c for c in decision.commands if isinstance(c, RecordAccount)]
        assert "approved_entry_refused" in [record.action for record in records]


def test_stale_market_at_approval_enters_nothing() -> None:
    first = decide(careful(), a_request())
    fact = settle(asked(first))
    assert fact.market is not None
    for market in (None, replace(fact.market, stale=True)):
        decision = decide(first.state, replace(fact, market=market))
        assert decision.answer is not None
        assert decision.answer.code in ("no-market-data", "stale-market")
        assert not entered(decision)


def test_refused_expired_and_outdated_requests_enter_nothing() -> None:
    for status in (ApprovalStatus.REFUSED, ApprovalStatus.EXPIRED, ApprovalStatus.OUTDATED):
        first = decide(careful(), a_request())
        decision = decide(first.state, settle(asked(first), status))
        assert not entered(decision)
        assert decision.state.waiting == {}
        later = decide(decision.state, replace(settle(asked(first)), by="third"))
        assert not entered(later)


def test_large_idea_waits_and_says_so_in_its_record() -> None:
    idea = Idea(
        idea_id="i-1",
        strategy="trend",
        strategy_version="1",
        symbol="BTC/USD",
        bar_start=START,
        expires_at=START + timedelta(minutes=30),
        stop_price=Decimal(49000),
        take_profit_price=Decimal(56000),
        trailing_distance=None,
    )
    first = decide(careful(), IdeaArrived(idea, a_market(), START))
    (record,) = [c for c in first.commands if isinstance(c, RecordIdea)]
    assert record.trade is None
    assert [c.code for c in record.verdict.failures] == ["approval-needed"]
    ask = asked(first)
    assert ask.request.requested_by == "strategy/trend"
    second = decide(first.state, settle(ask))
    assert len(entered(second)) == 1
    assert second.state.trades[1].strategy == "trend"
    late = decide(first.state, settle(ask, seconds=3600))
    assert late.answer is not None
    assert late.answer.code == "idea-expired"


def test_no_more_entries_wait_than_a_person_reads() -> None:
    state = careful()
    for number in range(WAITING_MAXIMUM):
        state = decide(state, a_request(f"r-{number}")).state
    full = decide(state, a_request("one-more"))
    assert full.answer is not None
    assert full.answer.code == "too-many-waiting"
    assert len(full.state.waiting) == WAITING_MAXIMUM


def test_strategies_act_within_the_limit_of_a_pair_and_what_more_is_allowed_takes_a_person() -> (
    None
):
    account = an_account()
    assert account.approval.equity_share_minimum == account.limits.pair_exposure_share
    wider = replace(account.limits, pair_exposure_share=Decimal("0.4"))
    for quantity, code in (("0.48", "accepted"), ("0.6", "waiting-for-approval")):
        answer = decide(replace(account, limits=wider), a_request(quantity=quantity)).answer
        assert answer is not None
        assert answer.code == code, answer


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(("ask", *ApprovalStatus)), st.booleans()),
        max_size=14,
    )
)
def test_whatever_is_repeated_each_request_is_entered_at_most_once(
    steps: list[tuple[int, str, bool]],
) -> None:
    state = careful(limits=replace(an_account().limits, pair_exposure_share=Decimal("0.9")))
    state = replace(state, limits=replace(state.limits, open_trades_per_pair=9))
    asks: dict[int, RequestApproval] = {}
    approved: set[int] = set()
    entries: list[str] = []
    for number, what, crash in steps:
        before = state
        if what == "ask":
            decision = decide(state, a_request(f"r-{number}", "0.2"))
            for command in decision.commands:
                if isinstance(command, RequestApproval):
                    asks[number] = command
        elif number in asks and what != "pending":
            decision = decide(state, settle(asks[number], ApprovalStatus(what)))
            if what == "approved":
                approved.add(number)
        else:
            continue
        state = decision.state
        entries += [c.plan.source for c in entered(decision)]
        if crash:  # the answer was lost: the same is told again
            fact = (
                settle(asks[number], ApprovalStatus(what)) if what in list(ApprovalStatus) else None
            )
            if fact is not None:
                again = decide(state, fact)
                assert (
                    again.answer == replace(decision.answer, verdict=None)
                    if decision.answer
                    else True
                )
                assert not entered(again)
        assert before.next_trade <= state.next_trade
    assert len(entries) == len(set(entries))
    assert {int(source.rpartition("-")[2]) for source in entries} <= approved
