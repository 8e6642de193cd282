"""The steps around a request for approval: its record, and telling who asked."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports.journal import Journal
from activities.ports.messaging import Messenger
from models.contracts.approvals import ApprovalToSave, ApprovalToSettle
from models.contracts.names import SETTLE_APPROVAL_UPDATE
from models.trading.answers import Answer
from models.trading.governance.approval import CHANGE_SETTINGS, ENTRY, WORSE_PROTECTION


class ApprovalActivities:
    """Write requests down and tell accounts and trades what was decided."""

    def __init__(self, journal: Journal, messenger: Messenger) -> None:
        self._journal = journal
        self._messenger = messenger

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
