"""Requests for approval: who wants what, who decided, and what came of it."""

from datetime import datetime
from decimal import Decimal

from sqlmodel import Field, SQLModel

from models.tables.columns import Amount, Moment
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus
from models.trading.governance.subjects import Subject


class ApprovalRow(SQLModel, table=True):
    """One request; times are protocol times, money is USD.

    ``outcome_code`` says what carrying the decision out came to: an entry that was approved may
    still be refused by a rule. ``trade`` is the trade it was about, or became.
    """

    __tablename__ = "approvals"

    account_id: str = Field(primary_key=True)
    approval_id: str = Field(primary_key=True)
    subject: str
    requested_by: str
    detail: str
    requested_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    value: Decimal | None = Field(default=None, sa_type=Amount)
    reference_price: Decimal | None = Field(default=None, sa_type=Amount)
    stop_price: Decimal | None = Field(default=None, sa_type=Amount)
    price_tolerance: Decimal = Field(sa_type=Amount)
    symbol: str | None = None
    trade: int | None = None
    status: str
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    reason: str
    outcome_code: str | None = None
    outcome_detail: str | None = None
    content: str = ""

    def request(self) -> ApprovalRequest:
        """Return the request in the domain's words."""
        return ApprovalRequest(
            request_id=self.approval_id,
            subject=Subject(self.subject),
            requested_by=self.requested_by,
            detail=self.detail,
            requested_at=self.requested_at,
            expires_at=self.expires_at,
            value=self.value,
            reference_price=self.reference_price,
            stop_price=self.stop_price,
            price_tolerance=self.price_tolerance,
            status=ApprovalStatus(self.status),
            decided_by=self.decided_by,
            decided_at=self.decided_at,
            reason=self.reason,
            trade=self.trade,
            symbol=self.symbol,
            content=self.content,
        )


class ApprovalDecisionRow(SQLModel, table=True):
    """Who was authenticated when a request was decided, and by which confirmation.

    ``step_up`` names the confirmation, which holds the evidence of what was shown to them.
    """

    __tablename__ = "approval_decisions"

    account_id: str = Field(primary_key=True)
    approval_id: str = Field(primary_key=True)
    decided_by: str = Field(primary_key=True)
    approved: bool = Field(primary_key=True)
    at: datetime = Field(sa_type=Moment)
    step_up: str | None = None
