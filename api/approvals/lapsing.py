"""Requests of a person who may ask for them no more lapse: nobody may carry them out.

Approval is refused from the moment of the revocation; what waits is ended soon after, by whichever
API runs, so that nothing depends on the command line reaching anybody when it revokes a token.
"""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.adapters.postgres.governance.revocations import PostgresRevocations
from api.approvals.requests import accounts_of, scopes
from api.http.problems import ProblemError
from api.services import Services
from models.contracts.approvals import ApprovalDecision
from models.contracts.names import DECIDE_APPROVAL_UPDATE, approval_workflow_id
from models.tables import ApprovalRow
from models.trading.answers import Answer
from models.trading.governance.approval import PLATFORM, ApprovalStatus
from models.trading.governance.four_eyes import PERSON, check_asked_by_person
from models.trading.governance.rights import CallerKind, Grant, Rights, Role, judge
from models.trading.governance.subjects import right_to_ask

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0


async def refuse_lapsed(services: Services, row: ApprovalRow) -> None:
    """Refuse to approve what nobody stands behind: asked by no person, or by who may no more.

    Raises:
        ProblemError: 409.
    """
    asked = check_asked_by_person(row.subject, row.requested_by)
    if not asked.passed:
        raise ProblemError(HTTPStatus.CONFLICT, asked.code, f"{asked.reason}.")
    reason = await _why_lapsed(services, row)
    if reason is not None:
        raise ProblemError(
            HTTPStatus.CONFLICT, "requester-revoked", f"{reason}: the request lapses."
        )


async def keep_lapsing(services: Services) -> None:
    """End what people have asked for who may do so no more, again and again."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await lapse_requests(services)
        except (OSError, SQLAlchemyError, RPCError, WorkflowUpdateFailedError) as error:
            log.warning("requests of revoked people cannot be ended yet", error=str(error))


async def lapse_requests(services: Services) -> None:
    """End every request that waits although whoever asked may ask for it no more."""
    query = select(ApprovalRow).where(ApprovalRow.status == ApprovalStatus.PENDING.value)
    for scope in await scopes(services):
        async with services.database.account_scope(scope) as session:
            waiting = (await session.exec(query)).all()
        for row in waiting:
            reason = await _why_lapsed(services, row)
            if reason is not None and services.client is not None:
                await _lapse(services, row, reason)


async def _lapse(services: Services, row: ApprovalRow, reason: str) -> None:
    name = approval_workflow_id(row.account_id, row.approval_id)
    decision = ApprovalDecision(
        request_id=f"revoked/{row.approval_id}",
        by=PLATFORM,
        approved=False,
        reason=reason,
        market=None,
        at=datetime.now(UTC),
    )
    assert services.client is not None
    handle = services.client.get_workflow_handle(name)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            await handle.execute_update(
                DECIDE_APPROVAL_UPDATE, decision, id=decision.request_id, result_type=Answer
            )
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        log.warning("a request of a revoked person does not answer", request=name)
    else:
        log.info("request lapsed", request=name, reason=reason)


async def _why_lapsed(services: Services, row: ApprovalRow) -> str | None:
    """Say why a request lapses, None while whoever asked may still ask for it."""
    author = row.requested_by
    if await PostgresRevocations(services.database).is_revoked(author):
        return f"the access of {author} was revoked"
    if not author.startswith(PERSON):
        return None
    held = Rights(CallerKind.PERSON, await _grants(services, author))
    asked = row.request()
    right = right_to_ask(asked.subject, row.account_id)
    refused = (judge(held, right, one) for one in accounts_of(asked, row.account_id))
    return f"{author} may ask for it no more" if any(refused) else None


async def _grants(services: Services, author: str) -> tuple[Grant, ...]:
    for person in await services.identity.people.everybody():
        if f"{PERSON}{person['user_id']}" == author:
            return tuple(Grant(Role(role), account) for role, account in person["grants"])
    return ()
