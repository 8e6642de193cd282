"""Deciding a request for approval: one road for every subject, whatever page it is decided on."""

from datetime import UTC, datetime
from http import HTTPStatus

import psycopg
from fastapi import Request
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from activities.adapters.postgres.acting import TOKEN_HASH
from api.access.admission import require
from api.approvals.freezing import refuse_frozen
from api.approvals.lapsing import refuse_lapsed
from api.approvals.requests import find_approval, refuse_decided, require_to_approve
from api.http.commands import NOT_RUNNING, Command, update_workflow
from api.http.problems import ProblemError
from api.queries.market import market_of
from api.services import Services, services_of
from models.contracts.approvals import ApprovalDecision
from models.contracts.names import DECIDE_APPROVAL_UPDATE, approval_workflow_id
from models.tables import ApprovalRow
from models.trading.answers import Answer
from models.trading.governance.rights import Action
from models.trading.governance.subjects import SUBJECTS, Subject

_NOTE = text("SELECT note_decision(:account, :approval, :by, :approved, :at, :token, :step_up)")


async def decide(
    request: Request,
    command: Command,
    row: ApprovalRow,
    reason: str,
    *,
    approved: bool,
) -> Answer:
    """Approve or refuse what somebody asked for; answered when what follows has been done.

    Who decides, as authenticated, is in the record before the request's workflow hears of it.

    Raises:
        ProblemError: the caller may not, nobody stands behind the request any more, or it does not
            wait any more.
    """
    services = services_of(request)
    if approved:
        await require_to_approve(request, row)
        await refuse_lapsed(services, row)
        if SUBJECTS[Subject(row.subject)].frozen:
            await refuse_frozen(request, command)
        await _note(request, command, row)
    else:
        await require(request, Action.APPROVAL_REFUSE, row.account_id)
    decision = ApprovalDecision(
        request_id=command.request_id,
        by=command.caller.name,
        approved=approved,
        reason=reason,
        market=await market_of(services, row.symbol),
        at=datetime.now(UTC),
    )
    return await _sent(services, row, decision)


_REFUSALS = {"AE003": "no-right", "AE006": "role-too-new"}
"""What the database refuses, whatever this process thinks of the caller."""


async def _note(request: Request, command: Command, row: ApprovalRow) -> None:
    taken = getattr(request.state, "step_up", None) or {}
    values = {
        "account": row.account_id,
        "approval": row.approval_id,
        "by": command.caller.name,
        "approved": True,
        "at": datetime.now(UTC),
        "token": TOKEN_HASH.get(),
        "step_up": taken.get("step_up_id"),
    }
    database = services_of(request).database
    try:
        async with database.account_scope(row.account_id) as session:
            await session.sql(_NOTE, values)
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state not in _REFUSALS or not isinstance(error.orig, psycopg.Error):
            raise
        words = error.orig.diag.message_primary or "refused"
        raise ProblemError(
            HTTPStatus.FORBIDDEN, _REFUSALS[state], f"{words}.", lasting=False
        ) from None


async def _sent(services: Services, row: ApprovalRow, decision: ApprovalDecision) -> Answer:
    name = approval_workflow_id(row.account_id, row.approval_id)
    try:
        return await update_workflow(
            services, name, DECIDE_APPROVAL_UPDATE, decision, decision.request_id, Answer
        )
    except ProblemError as problem:
        if problem.code == NOT_RUNNING:
            refuse_decided(await find_approval(services, row.approval_id))
        raise
