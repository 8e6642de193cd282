"""What waits for another person, and what may become of a request for approval.

A request is decided once: approved by somebody else than who asked, refused, expired, or outdated
because the price had left when it was approved. Nothing is carried out here; who is a person, and
with which role, is checked where the request comes in.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from models.trading.governance.subject_contents import LiftContent, read_content
from models.trading.governance.subjects import Subject
from models.trading.market import MarketSnapshot
from models.trading.verdicts import Check, Verdict

PLATFORM: Final = "aether"
"""Who ends a request of somebody who has lost the right to ask for it."""
NOT_AUTHENTICATED: Final = "not-authenticated"
FROZEN: Final = "change-frozen"
"""Outcomes of an approval that does not count: nothing is done, and the request is refused."""


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """When an entry waits for a person.

    Attributes:
        value_minimum: USD from which it does, None: no such bound.
        equity_share_minimum: share of equity from which it does, None: no such bound. The default
            is the default limit of a pair: within it strategies act by themselves, and what more
            an account's limits are widened to takes a person.
        expires_after: protocol time that a request waits.
        price_tolerance: share by which the price may have moved until it is approved.
    """

    value_minimum: Decimal | None = None
    equity_share_minimum: Decimal | None = Decimal("0.25")
    expires_after: timedelta = timedelta(hours=4)
    price_tolerance: Decimal = Decimal("0.01")


class ApprovalStatus(StrEnum):
    """Where a request stands; all but ``pending`` are final.

    ``withdrawn``: by who asked. ``lapsed``: who asked may do so no more.
    """

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    EXPIRED = "expired"
    OUTDATED = "outdated"

    @property
    def is_final(self) -> bool:
        """Tell whether the request has been decided."""
        return self is not ApprovalStatus.PENDING

    @property
    def is_declined(self) -> bool:
        """Tell whether somebody has said no."""
        declined = (ApprovalStatus.REFUSED, ApprovalStatus.WITHDRAWN, ApprovalStatus.LAPSED)
        return self in declined


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """Something that waits for another person.

    Attributes:
        subject: what is asked for; ``subjects`` says what holds for it.
        requested_by: the person, or the strategy, that wants it.
        value: its size in USD, None where it has none.
        reference_price: price it was asked at, None where no price matters.
        stop_price: an entry's stop; a price at or below it cannot be approved.
        price_tolerance: share by which the price may have moved.
        trade: the trade it is about, None: it is about none yet.
        symbol: the pair whose price is judged again, where one matters.
        content: what is to be done, as JSON (``subject_contents``), where nobody else carries it
            while it waits.
    """

    request_id: str
    subject: Subject
    requested_by: str
    detail: str
    requested_at: datetime
    expires_at: datetime
    value: Decimal | None = None
    reference_price: Decimal | None = None
    stop_price: Decimal | None = None
    price_tolerance: Decimal = Decimal("0.01")
    status: ApprovalStatus = ApprovalStatus.PENDING
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str = ""
    trade: int | None = None
    symbol: str | None = None
    content: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalOutcome:
    """The request after an attempt to decide it, and why it stands as it does."""

    request: ApprovalRequest
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class RequestApproval:
    """Command: have another person decide."""

    request: ApprovalRequest


@dataclass(frozen=True, slots=True)
class ApprovalSettled:
    """A request was decided, or ran out; ``request_id`` is its id. ``market`` is that of now."""

    request_id: str
    status: ApprovalStatus
    by: str
    market: MarketSnapshot | None
    at: datetime


def check_size(policy: ApprovalPolicy, value: Decimal, equity: Decimal) -> Check:
    """Tell whether an entry of this value in USD may go without a person.

    A check that fails is no refusal: it says that the entry has to wait.
    """
    bounds = [policy.value_minimum] if policy.value_minimum is not None else []
    if policy.equity_share_minimum is not None:
        bounds.append(max(Decimal(0), equity) * policy.equity_share_minimum)
    if not bounds:
        reason = "no size needs approval"
        return Check("approval", "approval-needed", passed=True, reason=reason, figure=value)
    bound = min(bounds)
    reason = f"{value:.2f} USD against {bound:.2f} USD above which a person decides"
    return Check("approval", "approval-needed", value <= bound, reason, value, bound)


def approve(
    request: ApprovalRequest, by: str, at: datetime, price: Decimal | None = None
) -> ApprovalOutcome:
    """Approve, if another person may still do so and the price has not left.

    An approval by the wrong person changes nothing; one that comes too late, or at another price,
    ends the request.
    """
    if request.status.is_final:
        return ApprovalOutcome(request, Verdict((_still_open(request),)))
    if at >= request.expires_at:
        ended = expire(request, at)
        return ApprovalOutcome(ended, Verdict((_still_open(ended),)))
    other = check_other_person(request.requested_by, by)
    second = check_uninvolved(request, by)
    if not other.passed or not second.passed:
        return ApprovalOutcome(request, Verdict((other, second)))
    judged = check_price(request, price)
    status = ApprovalStatus.APPROVED if judged.passed else ApprovalStatus.OUTDATED
    decided = _decided(request, status, by, at, judged.reason)
    return ApprovalOutcome(decided, Verdict((_still_open(request), other, judged)))


def refuse(request: ApprovalRequest, by: str, at: datetime, reason: str) -> ApprovalOutcome:
    """Refuse; also who asked may do so, which withdraws the request."""
    current = expire(request, at)
    check = _still_open(current)
    if not check.passed:
        return ApprovalOutcome(current, Verdict((check,)))
    status = {
        request.requested_by: ApprovalStatus.WITHDRAWN,
        PLATFORM: ApprovalStatus.LAPSED,
    }.get(by, ApprovalStatus.REFUSED)
    refused = _decided(request, status, by, at, reason)
    return ApprovalOutcome(refused, Verdict((check,)))


def hold(request: ApprovalRequest, reason: str) -> ApprovalRequest:
    """Refuse in the platform's name what was approved and does not count."""
    return replace(request, status=ApprovalStatus.REFUSED, decided_by=PLATFORM, reason=reason)


def expire(request: ApprovalRequest, at: datetime) -> ApprovalRequest:
    """End a request whose time is over; any other is returned as it is."""
    if request.status.is_final or at < request.expires_at:
        return request
    reason = f"nobody decided until {request.expires_at.isoformat(timespec='seconds')}"
    return _decided(request, ApprovalStatus.EXPIRED, None, request.expires_at, reason)


def check_other_person(requested_by: str, by: str) -> Check:
    """Require somebody with a name, and another one than who asked; case and spaces do not count.

    Also used wherever else two people have to agree.
    """
    first, second = _plain(requested_by), _plain(by)
    passed = bool(second) and first != second
    reason = f"{by or 'nobody'} decides on what {requested_by} asked for"
    return Check("approval", "second-person-needed", passed, reason)


def check_uninvolved(request: ApprovalRequest, by: str) -> Check:
    """Refuse who has stopped trading the right to agree that it goes on."""
    engaged_by = ""
    if request.subject is Subject.LIFT_KILL_SWITCH:
        engaged_by = read_content(LiftContent, request.content).engaged_by
    passed = not engaged_by or _plain(engaged_by) != _plain(by)
    reason = f"{by} has engaged the kill switch" if not passed else f"{by} was not involved"
    return Check("approval", "second-person-needed", passed, reason)


def check_price(request: ApprovalRequest, price: Decimal | None) -> Check:
    """Judge the price again at approval: known, within the tolerance, and above the stop."""
    reference, limit = request.reference_price, request.price_tolerance
    if reference is None:
        reason = "no price matters: not applicable"
        return Check("approval", "price-moved", passed=True, reason=reason)
    if price is None or not price.is_finite() or price <= 0:
        return Check("approval", "no-market-data", passed=False, reason="no price is known")
    moved = abs(price - reference) / reference
    above_stop = request.stop_price is None or price > request.stop_price
    reason = f"price {price} against {reference} when asked: moved {moved:.4%} of {limit:.4%}"
    if not above_stop:
        reason += f", not above the stop {request.stop_price}"
    return Check("approval", "price-moved", moved <= limit and above_stop, reason, moved, limit)


def _still_open(request: ApprovalRequest) -> Check:
    passed = not request.status.is_final
    reason = f"request {request.request_id} is {request.status.value}"
    return Check("approval", "approval-decided", passed, reason)


def _decided(
    request: ApprovalRequest, status: ApprovalStatus, by: str | None, at: datetime, reason: str
) -> ApprovalRequest:
    return replace(request, status=status, decided_by=by, decided_at=at, reason=reason)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
