"""A request is decided once, in time, by another person, and at the price it was asked at."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.trading.governance.approval import (
    ApprovalPolicy,
    ApprovalRequest,
    ApprovalStatus,
    approve,
    check_size,
    expire,
    refuse,
)
from tests.models.trading.trading_builders import START

REQUEST = ApprovalRequest(
    request_id="a-1",
    subject="entry",
    requested_by="Dora",
    detail="0.5 BTC",
    requested_at=START,
    expires_at=START + timedelta(hours=4),
    value=Decimal(25_000),
    reference_price=Decimal(50_000),
    stop_price=Decimal(49_800),
)
SOON = START + timedelta(minutes=5)
NAMES = st.sampled_from(("Dora", "dora ", "Emil", "", "aether"))


def test_large_entries_wait_for_a_person() -> None:
    policy = ApprovalPolicy(Decimal(20_000), Decimal("0.15"))
    assert check_size(policy, Decimal(15_000), Decimal(100_000)).passed
    asked = check_size(policy, Decimal(15_001), Decimal(100_000))
    assert (asked.passed, asked.code, asked.limit) == (False, "approval-needed", Decimal(15_000))
    assert not check_size(policy, Decimal(20_001), Decimal(10**7)).passed
    assert check_size(ApprovalPolicy(None, None), Decimal(10**9), Decimal(1)).passed
    assert not check_size(policy, Decimal(1), Decimal(0)).passed


def test_another_person_approves_and_who_asked_does_not() -> None:
    alone = approve(REQUEST, " dORA", SOON, Decimal(50_000))
    assert alone.request == REQUEST
    assert [check.code for check in alone.verdict.failures] == ["second-person-needed"]
    done = approve(REQUEST, "Emil", SOON, Decimal(50_100))
    assert done.verdict.allowed
    assert (done.request.status, done.request.decided_by) == (ApprovalStatus.APPROVED, "Emil")
    again = approve(done.request, "Frida", SOON, Decimal(50_100))
    assert again.request == done.request
    assert [check.code for check in again.verdict.failures] == ["approval-decided"]


def test_the_price_is_judged_again() -> None:
    for price, code in (
        (Decimal(50_501), "price-moved"),
        (Decimal(49_800), "price-moved"),
        (None, "no-market-data"),
    ):
        late = approve(REQUEST, "Emil", SOON, price)
        assert late.request.status is ApprovalStatus.OUTDATED
        assert [check.code for check in late.verdict.failures] == [code]
    assert approve(REQUEST, "Emil", SOON, Decimal(50_500)).verdict.allowed
    for unusable in (Decimal("NaN"), Decimal(0)):
        assert not approve(REQUEST, "Emil", SOON, unusable).verdict.allowed
    timeless = replace(REQUEST, reference_price=None)
    assert approve(timeless, "Emil", SOON).verdict.allowed


def test_nobody_decides_after_the_time_is_over() -> None:
    late = START + timedelta(hours=4)
    for outcome in (
        approve(REQUEST, "Emil", late, Decimal(50_000)),
        refuse(REQUEST, "E", late, ""),
    ):
        assert outcome.request.status is ApprovalStatus.EXPIRED
        assert outcome.request.decided_at == late
        assert not outcome.verdict.allowed
    assert expire(REQUEST, SOON) == REQUEST


def test_who_asked_may_withdraw() -> None:
    withdrawn = refuse(REQUEST, "Dora", SOON, "changed her mind").request
    assert (withdrawn.status, withdrawn.reason) == (ApprovalStatus.WITHDRAWN, "changed her mind")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("approve", "refuse", "expire")),
        NAMES,
        st.integers(0, 6 * 60),
        st.decimals("49000", "51000", places=0),
    ),
    max_size=8,
)


@given(STEPS)
def test_what_was_decided_stays_decided(
    steps: list[tuple[str, str, int, Decimal]],
) -> None:
    request = REQUEST
    for action, name, minutes, price in sorted(steps, key=lambda step: step[2]):
        before, now = request, START + timedelta(minutes=minutes)
        request = _step(request, action, name, now, price)
        if before.status.is_final:
            assert request == before
        if request.status is ApprovalStatus.APPROVED and before != request:
            assert name in ("Emil", "aether")
            assert now < REQUEST.expires_at
            assert abs(price / 50_000 - 1) <= REQUEST.price_tolerance
            assert price > Decimal(49_800)


def _step(
    request: ApprovalRequest, action: str, name: str, now: datetime, price: Decimal
) -> ApprovalRequest:
    if action == "approve":
        return approve(request, name, now, price).request
    if action == "refuse":
        return refuse(request, name, now, "no").request
    return expire(request, now)
