"""What is written down of data that leaves the platform: exports, and payloads that are shown.

The row stands before anything is sent: what cannot be recorded is not handed out.
"""

from fastapi import Request

from api.access.callers import caller_of
from api.services import services_of
from infra.runtime.database.connections import PLATFORM_SCOPE


async def record_export(request: Request, chain: str, what: str, details: dict[str, str]) -> None:
    """Write down, in an account's chain or the platform's, that the caller exports something."""
    caller, journal = await caller_of(request), services_of(request).journal
    await journal.audit(chain, caller.name, "data_exported", {"what": what} | details, "")


async def record_decoding(request: Request, payloads: int) -> None:
    """Write down that payloads of workflows are shown to the caller: one row a minute.

    The page of one workflow asks many times; who was shown something at all is what counts.
    """
    caller, services = await caller_of(request), services_of(request)
    what = (caller.name, "payloads_decoded")
    if not services.denials.is_new(what):
        return
    told = {"payloads": str(payloads)}
    try:
        await services.journal.audit(PLATFORM_SCOPE, caller.name, "payloads_decoded", told, "")
    except BaseException:
        services.denials.forget(what)
        raise
