"""Requests for approval in the record: found by their id, and the accounts that they concern."""

from http import HTTPStatus

from fastapi import Request

from api.access.admission import require
from api.http.problems import ProblemError
from api.services import Services
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.tables import ApprovalRow
from models.trading.governance.approval import ApprovalRequest, ApprovalStatus
from models.trading.governance.subject_contents import LiftContent, read_content
from models.trading.governance.subjects import SUBJECTS, Subject


async def scopes(services: Services) -> list[str]:
    """Return every account, and ``platform``."""
    return [*await services.database.accounts(), PLATFORM_SCOPE]


async def find_approval(services: Services, approval: str) -> ApprovalRow:
    """Return a request.

    Raises:
        ProblemError: 404, there is none.
    """
    for scope in await scopes(services):
        async with services.database.account_scope(scope) as session:
            row = await session.get(ApprovalRow, (scope, approval))
        if row is not None:
            return row
    raise ProblemError(
        HTTPStatus.NOT_FOUND, "unknown-approval", f"No request for approval {approval}."
    )


def accounts_of(request: ApprovalRequest, account: str) -> tuple[str, ...]:
    """Return the accounts that a request concerns: those of its kill switch, or its own."""
    if request.subject is Subject.LIFT_KILL_SWITCH:
        # None at all is no reason to ask for no right.
        return read_content(LiftContent, request.content).accounts or (account,)
    return (account,)


async def require_to_approve(request: Request, row: ApprovalRow) -> None:
    """Refuse who may not approve this subject for each account that it concerns.

    Raises:
        ProblemError: 403.
    """
    asked = row.request()
    for account in accounts_of(asked, row.account_id):
        await require(request, SUBJECTS[asked.subject].approves, account)


def refuse_decided(row: ApprovalRow) -> None:
    """Refuse to decide what is decided already.

    Raises:
        ProblemError: 409.
    """
    if ApprovalStatus(row.status).is_final:
        raise ProblemError(
            HTTPStatus.CONFLICT, "approval-decided", f"The request is {row.status} already."
        )
