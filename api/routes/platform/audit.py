"""The record of actions: list and search it; verification is `aether audit verify`."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime
from sqlmodel import col, select

from activities.adapters.postgres.record.search import CursorError, Search, search_record
from api.access.admission import allowed
from api.http import reading
from api.http.authentication import authenticate
from api.http.problems import ProblemError
from api.messages.bodies import AccountName, PageSize, Whole
from api.messages.schemas import AuditEntry, AuditPage
from api.services import services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.tables.governance.governance import AuditRow
from models.trading.governance.rights import Action

router = APIRouter(prefix="/audit", tags=["audit"], dependencies=[Depends(authenticate)])


async def search_of(
    request: Request,
    *,
    account: Annotated[str | None, Query(max_length=64)] = None,
    actor: Annotated[str | None, Query(max_length=128)] = None,
    action: Annotated[str | None, Query(max_length=64, pattern=r"^[a-z_-]+$")] = None,
    correlation: Annotated[str | None, Query(max_length=256)] = None,
    words: Annotated[str | None, Query(max_length=200)] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
) -> Search:
    """Return what a request looks for, in the chains that its caller may read."""
    services = services_of(request)
    asked = [account] if account else [*await services.database.accounts(), PLATFORM_SCOPE]
    readable = tuple(await allowed(request, Action.AUDIT_READ, asked))
    return Search(readable, since, until, actor, action, correlation, words)


Wanted = Annotated[Search, Depends(search_of)]


@router.get("")
async def search_audit_entries(
    request: Request,
    *,
    wanted: Wanted,
    cursor: Annotated[str, Query(max_length=200)] = "",
    limit: PageSize = 100,
) -> AuditPage:
    """Search the chains that the caller may read, newest first.

    A correlation may be the id of a request, see context.

    Rows are found within seconds of being written. ``following`` is the next page's cursor.
    """
    services = services_of(request)
    try:
        page = await search_record(services.database, wanted, cursor, limit)
    except CursorError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-cursor", str(error)) from None
    entries = [AuditEntry.model_validate(row, from_attributes=True) for row in page.rows]
    return AuditPage(entries=entries, following=page.following)


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
