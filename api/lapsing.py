"""Requests of a person whose token was revoked lapse: nobody may carry them out any more.

Approval is refused from the moment of the revocation; what waits is ended soon after, by whichever
API runs, so that nothing depends on the command line reaching anybody when it revokes a token.
"""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus

import structlog
from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from activities.adapters.postgres.governance.revocations import PostgresRevocations
from activities.adapters.postgres.governance.universe_changes import PostgresUniverseChanges
from api.http.problems import ProblemError
from api.services import Services
from infra.runtime.database.connections import Database
from models.contracts.approvals import ApprovalDecision
from models.contracts.names import DECIDE_APPROVAL_UPDATE, approval_workflow_id
from models.trading.answers import Answer
from models.trading.governance.four_eyes import check_asked_by_person

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
PLATFORM_ACTOR = "aether"


async def refuse_revoked(database: Database, author: str, subject: str) -> None:
    """Refuse to approve what nobody stands behind: asked by who has left, or by no person."""
    asked = check_asked_by_person(subject, author)
    if not asked.passed:
        raise ProblemError(HTTPStatus.CONFLICT, asked.code, f"{asked.reason}.")
    if await PostgresRevocations(database).is_revoked(author):
        raise ProblemError(
            HTTPStatus.CONFLICT, "requester-revoked", f"{reason_of(author)}: the request lapses."
        )


async def keep_lapsing(services: Services) -> None:
    """End what revoked people have asked for, again and again."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await lapse_requests(services)
        except (OSError, SQLAlchemyError, RPCError, WorkflowUpdateFailedError) as error:
            log.warning("requests of revoked people cannot be ended yet", error=str(error))


async def lapse_requests(services: Services) -> None:
    """Refuse every request that waits although its author's token was revoked."""
    revocations = PostgresRevocations(services.database)
    for change in await revocations.waiting_universe_changes():
        if change.number is not None:
            await PostgresUniverseChanges(services.database).decide(
                change.number, PLATFORM_ACTOR, approve=False, at=datetime.now(UTC), held=()
            )
    for row in await revocations.waiting_approvals():
        if services.client is None:
            return
        name = approval_workflow_id(row.account_id, row.approval_id)
        decision = ApprovalDecision(
            request_id=f"revoked/{row.approval_id}",
            by=PLATFORM_ACTOR,
            approved=False,
            reason=reason_of(row.requested_by),
            market=None,
            at=datetime.now(UTC),
        )
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await services.client.get_workflow_handle(name).execute_update(
                    DECIDE_APPROVAL_UPDATE, decision, id=decision.request_id, result_type=Answer
                )
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            log.warning("a request of a revoked person does not answer", request=name)
        else:
            log.info("request lapsed", request=name, reason=decision.reason)


def reason_of(author: str) -> str:
    """Say why a request lapses."""
    return f"the access of {author} was revoked"
