"""What a confirmation is about: the record that is approved, or the body that is sent."""

import hashlib
import json
import re
from http import HTTPStatus
from typing import Any

from api.http.problems import ProblemError
from api.services import Services
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.tables import ApprovalRow, GoingLiveRow, UniverseChangeRow
from models.trading.governance.step_up import canonical

_APPROVAL = re.compile(r"/api/v1/approvals/([0-9A-Za-z-]{1,64})/approve")
_GOING_LIVE = re.compile(r"/api/v1/accounts/([^/]+)/going-live/requests/(\d{1,9})/approve")
_UNIVERSE = re.compile(r"/api/v1/universe/changes/(\d{1,9})/approve")


async def content_of(services: Services, operation: str, path: str, body: Any) -> str:
    """Return what is confirmed with an operation, as canonical text.

    Approvals: the record of the request, so that the signature is over what it changes. Anything
    else: the path and the hash of the body.

    Raises:
        ProblemError: 404 there is no such request.
    """
    if operation == "approve":
        return canonical(await _approval(services, path))
    if operation == "approve_going_live":
        return canonical(await _going_live(services, path))
    if operation == "approve_universe_change":
        return canonical(await _universe(services, path))
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return canonical({"path": path, "body": hashlib.sha256(text.encode()).hexdigest()})


async def _approval(services: Services, path: str) -> dict[str, str | None]:
    found = _APPROVAL.fullmatch(path)
    for scope in [*await services.database.accounts(), PLATFORM_SCOPE] if found else []:
        async with services.database.account_scope(scope) as session:
            row = await session.get(ApprovalRow, (scope, found[1] if found else ""))
        if row is not None:
            return {
                "account": row.account_id,
                "approval": row.approval_id,
                "subject": row.subject,
                "requested_by": row.requested_by,
                "detail": row.detail,
                "symbol": row.symbol,
                "value": _text(row.value),
                "reference_price": _text(row.reference_price),
                "stop_price": _text(row.stop_price),
                "content": row.content or None,
            }
    raise _unknown(path, "unknown-approval")


async def _going_live(services: Services, path: str) -> dict[str, str | None]:
    found = _GOING_LIVE.fullmatch(path)
    if found:
        async with services.database.account_scope(found[1]) as session:
            row = await session.get(GoingLiveRow, (found[1], int(found[2])))
            waits = row.approval_id if row is not None else None
            asked = await session.get(ApprovalRow, (found[1], waits)) if waits else None
        if row is not None:
            return {
                "account": row.account_id,
                "request": str(row.number),
                "subject": "go_live",
                "requested_by": row.requested_by,
                "detail": row.reason,
                "content": None if asked is None else asked.content or None,
            }
    raise _unknown(path)


async def _universe(services: Services, path: str) -> dict[str, str | None]:
    found = _UNIVERSE.fullmatch(path)
    if found:
        async with services.database.no_scope() as session:
            row = await session.get(UniverseChangeRow, int(found[1]))
        if row is not None:
            return {
                "change": str(row.number),
                "subject": "universe",
                "requested_by": row.author,
                "detail": row.reason,
                "joins": " ".join(row.joins),
                "leaves": " ".join(row.leaves),
            }
    raise _unknown(path, "unknown-change")


def _text(value: object) -> str | None:
    return None if value is None else format(value, "f")


def _unknown(path: str, code: str = "unknown-request") -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND, code, f"There is nothing to approve at {path}.", lasting=False
    )
