"""The record of actions: list it; verification is `aether audit verify`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import col, select

from api.http import reading
from api.http.authentication import authenticate
from api.messages.bodies import AccountName, PageSize, Whole
from api.messages.schemas import AuditEntry
from api.services import services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.tables.governance.governance import AuditRow

router = APIRouter(prefix="/audit", tags=["audit"], dependencies=[Depends(authenticate)])


@router.get("/{scope}")
async def list_audit_entries(
    request: Request,
    scope: AccountName,
    *,
    before: Whole = None,
    action: Annotated[str | None, Query(max_length=64, pattern=r"^[a-z_]+$")] = None,
    limit: PageSize = 100,
) -> list[AuditEntry]:
    """List an account's chain (or ``platform``'s), newest first; ``before`` pages by sequence."""
    services = services_of(request)
    if scope != PLATFORM_SCOPE:
        await reading.require_account(services.database, scope)
    query = select(AuditRow).order_by(col(AuditRow.sequence).desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.sequence < before)
    if action is not None:
        query = query.where(AuditRow.action == action)
    async with services.database.account_scope(scope) as session:
        return [AuditEntry.model_validate(row) for row in await session.exec(query)]
