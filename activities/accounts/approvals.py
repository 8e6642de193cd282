"""The steps around a request for approval: its record, and telling who asked."""

from collections.abc import Awaitable, Callable

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports.journal import Journal
from activities.ports.messaging import Messenger
from models.contracts.approvals import ApprovalToSave, ApprovalToSettle
from models.contracts.names import SETTLE_APPROVAL_UPDATE
from models.trading.answers import Answer
from models.trading.governance.approval import (
    CHANGE_SETTINGS,
    ENTRY,
    WORSE_PROTECTION,
    ApprovalRequest,
    ApprovalSettled,
    ApprovalStatus,
)
from models.trading.governance.platform_settings_changes import approved_change
from models.trading.settings.versions import ChangeRequest

PLATFORM = "platform"
ChangePlatform = Callable[[str, ChangeRequest], Awaitable[Answer]]
"""Makes a version of the platform's settings, once by the request's id, and has accounts told."""


class ApprovalActivities:
    """Write requests down and tell accounts and trades what was decided."""

    def __init__(
        self, journal: Journal, messenger: Messenger, platform: ChangePlatform | None = None
    ) -> None:
        self._journal = journal
        self._messenger = messenger
        self._platform = platform

    @activity.defn
    async def save_approval(self, request: ApprovalToSave) -> None:
        """Write where a request stands."""
        await self._journal.save_approval(request.account, request.request, request.outcome)

    @activity.defn
    async def settle_approval(self, request: ApprovalToSettle) -> Answer:
        """Tell who asked, once however often this is tried, and return what came of it.

        What neither an account nor a trade waits for has no consequence but its record.
        """
        asked, fact = request.request, request.fact
        if request.account == PLATFORM and asked.subject == CHANGE_SETTINGS:
            return await self._change_platform(asked, fact)
        if asked.subject in (ENTRY, CHANGE_SETTINGS):
            answer = await self._messenger.ask_account(
                request.account, SETTLE_APPROVAL_UPDATE, fact.request_id, fact
            )
            if answer is None:
                raise ApplicationError(f"the workflow of {request.account} does not run")
            return answer
        if asked.subject == WORSE_PROTECTION and asked.trade is not None:
            answer = await self._messenger.ask_trade(
                request.account, asked.trade, SETTLE_APPROVAL_UPDATE, fact.request_id, fact
            )
            over = Answer(fact.request_id, "trade-closing", "the trade is over", trade=asked.trade)
            return over if answer is None else answer
        return Answer(fact.request_id, "accepted", f"{asked.detail}: {asked.status.value}")

    async def _change_platform(self, asked: ApprovalRequest, fact: ApprovalSettled) -> Answer:
        """Make the change that the request carries; what became of it is its outcome."""
        if fact.status is not ApprovalStatus.APPROVED:
            return Answer(fact.request_id, "accepted", f"nothing changes: {fact.status.value}")
        if self._platform is None:
            raise ApplicationError("nobody here changes the platform's settings")
        try:
            change = approved_change(asked, fact)
        except ValueError as error:
            return Answer(fact.request_id, "invalid-change", str(error))
        return await self._platform(fact.request_id, change)
