"""Requests for approval in the record."""

from psycopg.types.json import Jsonb
from sqlalchemy import text

from activities.adapters.postgres import audit
from infra.runtime.database.connections import Database
from models.contracts.hedges import HedgeRecord
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest

_SAVE_APPROVAL = text(
    """INSERT INTO approvals (account_id, approval_id, subject, requested_by, detail, requested_at,
           expires_at, value, reference_price, stop_price, price_tolerance, symbol, trade, status,
           decided_by, decided_at, reason, outcome_code, outcome_detail, content)
       VALUES (:account, :approval, :subject, :requested_by, :detail, :requested_at, :expires_at,
           :value, :reference_price, :stop_price, :price_tolerance, :symbol, :trade, :status,
           :decided_by, :decided_at, :reason, :outcome_code, :outcome_detail, :content)
       ON CONFLICT (account_id, approval_id) DO UPDATE
           SET status = excluded.status, decided_by = excluded.decided_by,
               decided_at = excluded.decided_at, reason = excluded.reason, trade = excluded.trade,
               outcome_code = excluded.outcome_code, outcome_detail = excluded.outcome_detail
           WHERE approvals.status = 'pending'"""
)
_SAVE_REVIEW = text(
    """INSERT INTO hedge_reviews (account_id, review_id, at, decided_at, cause, target,
           automatic_target, actual, equity, volatility, drawdown, override_share, override_author,
           override_reason, override_expires_at, move, value, reason, trades, fees, turnover,
           lacking, profit)
       VALUES (:account, :review, :at, :decided_at, :cause, :target, :automatic_target, :actual,
           :equity, :volatility, :drawdown, :override_share, :override_author, :override_reason,
           :override_expires_at, :move, :value, :reason, :trades, :fees, :turnover, :lacking,
           :profit)
       ON CONFLICT DO NOTHING"""
)


class ApprovalJournal:
    """The part of the journal that holds requests for approval and reviews of the hedge."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_approval(
        self, account: str, request: ApprovalRequest, outcome: Answer | None
    ) -> None:
        """Write where a request stands, and an audit row; a decided one changes no more."""
        values = {
            "account": account,
            "approval": request.request_id,
            "subject": request.subject.value,
            "content": request.content,
            "requested_by": request.requested_by,
            "detail": request.detail,
            "requested_at": request.requested_at,
            "expires_at": request.expires_at,
            "value": request.value,
            "reference_price": request.reference_price,
            "stop_price": request.stop_price,
            "price_tolerance": request.price_tolerance,
            "symbol": request.symbol,
            "trade": _trade(request, outcome),
            "status": request.status.value,
            "decided_by": request.decided_by,
            "decided_at": request.decided_at,
            "reason": request.reason,
            "outcome_code": outcome.code if outcome else None,
            "outcome_detail": outcome.detail if outcome else None,
        }
        async with self._database.account_scope(account) as session:
            await session.sql(_SAVE_APPROVAL, values)
            actor = request.decided_by or (
                "aether" if request.status.is_final else request.requested_by
            )
            action = f"approval_{'asked' if not request.status.is_final else request.status.value}"
            correlation = f"approval/{request.request_id}"
            details = _audited(request, outcome)
            await audit.append(session, account, actor, action, details, correlation, once=True)

    async def record_hedge_review(self, account: str, record: HedgeRecord) -> None:
        """Write a review of the hedge, once."""
        override = record.override
        values = {
            "account": account,
            "review": record.review_id,
            "at": record.at,
            "decided_at": record.decided_at,
            "cause": record.cause,
            "target": record.target,
            "automatic_target": record.automatic_target,
            "actual": record.actual,
            "equity": record.equity,
            "volatility": record.volatility,
            "drawdown": record.drawdown,
            "override_share": override.share if override else None,
            "override_author": override.author if override else None,
            "override_reason": override.reason if override else None,
            "override_expires_at": override.expires_at if override else None,
            "move": record.move,
            "value": record.value,
            "reason": record.reason,
            "trades": Jsonb(list(record.trades)),
            "fees": record.fees,
            "turnover": record.turnover,
            "lacking": Jsonb({asset: str(units) for asset, units in record.lacking.items()}),
            "profit": record.profit,
        }
        async with self._database.light_scope(account) as session:
            await session.sql(_SAVE_REVIEW, values)


def _trade(request: ApprovalRequest, outcome: Answer | None) -> int | None:
    return outcome.trade if outcome is not None and outcome.trade is not None else request.trade


def _audited(request: ApprovalRequest, outcome: Answer | None) -> dict[str, str]:
    details = {
        "subject": request.subject.value,
        "detail": request.detail,
        "requested_by": request.requested_by,
        "value": str(request.value if request.value is not None else ""),
        "status": request.status.value,
        "reason": request.reason,
    }
    if outcome is not None:
        details |= {"outcome": outcome.code, "outcome_detail": outcome.detail}
    return details
