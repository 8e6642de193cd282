"""Spot only: whatever asks for margin, leverage or derivatives is refused and audited (T-1)."""

from http import HTTPStatus
from typing import Any

from fastapi import Request

from api.http import reading
from api.http.authentication import Caller
from api.http.problems import ProblemError
from api.messages.bodies import AccountName
from api.services import services_of

MARGIN_FIELDS = {"leverage", "margin", "reduce_only", "short", "futures", "derivative"}


async def refuse_margin(request: Request, account: AccountName, caller: Caller) -> None:
    """Refuse a command that names one of those fields, anywhere, before it is read as anything."""
    if request.method == "GET":
        return
    named = {name.lower() for name in request.query_params} | _names(await _body(request))
    asked = MARGIN_FIELDS & named
    if not asked:
        return
    services = services_of(request)
    await reading.require_account(services.database, account)
    fields = ", ".join(sorted(asked))
    details = {"fields": fields, "operation": str(request.scope["route"].name)}
    await services.journal.audit(account, caller.name, "margin_refused", details, "")
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "margin-refused",
        f"Spot only: no margin, no leverage, no derivatives ({fields}).",
    )


async def _body(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError):
        # No JSON at all is refused as that.
        return None


def _names(body: Any) -> set[str]:
    names: set[str] = set()
    parts = [body]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            names |= {str(name).lower() for name in part}
            parts += part.values()
        elif isinstance(part, list):
            parts += part
    return names
