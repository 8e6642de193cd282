"""Waiting until a request for approval is in the record, where everybody looks it up."""

import asyncio
from http import HTTPStatus

from api.http.problems import ProblemError
from api.services import Services
from models.tables import ApprovalRow

LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 6.0


async def until_recorded(services: Services, account: str, approval: str) -> None:
    """Wait for the row of a request whose workflow has been started, or soon will be.

    Raises:
        ProblemError: 503 ``not-recorded``; the request stands, and a repeat under the same
            idempotency key waits for it again.
    """
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await _is_recorded(services, account, approval):  # noqa: ASYNC110  # a row
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not-recorded",
            f"Request {approval} for approval is not recorded yet. Repeat with the same key.",
            lasting=False,
        ) from None


async def _is_recorded(services: Services, account: str, approval: str) -> bool:
    async with services.database.account_scope(account) as session:
        return await session.get(ApprovalRow, (account, approval)) is not None
