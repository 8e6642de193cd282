"""The steps around a request for approval: its record, and having it carried out."""

from collections.abc import Awaitable, Callable, Mapping

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports.journal import Journal
from activities.ports.messaging import Messenger
from models.contracts.approvals import ApprovalToProve, ApprovalToSettle, SaveApproval
from models.contracts.names import SETTLE_APPROVAL_UPDATE
from models.contracts.platform import SettlePlatformApproval
from models.contracts.workflows import LiftApproved
from models.trading.answers import Answer
from models.trading.governance.approval import (
    FROZEN,
    NOT_AUTHENTICATED,
    ApprovalRequest,
    ApprovalSettled,
    ApprovalStatus,
)
from models.trading.governance.subject_contents import LiftContent, read_content
from models.trading.governance.subjects import SUBJECTS, Effect, effect_of

CarryOut = Callable[[str, ApprovalRequest, ApprovalSettled], Awaitable[Answer]]
"""Carries out what was decided on an account's (or the platform's) request, once by its id."""


class ApprovalActivities:
    """Write requests down and have what was decided carried out.

    ``effects`` are those that neither an account, a trade nor a kill switch carries out.
    """

    def __init__(
        self,
        journal: Journal,
        messenger: Messenger,
        effects: Mapping[Effect, CarryOut] | None = None,
    ) -> None:
        self._journal = journal
        self._messenger = messenger
        self._effects: dict[Effect, CarryOut] = {
            Effect.ACCOUNT: self._ask_account,
            Effect.TRADE: self._ask_trade,
            Effect.PLATFORM: self._ask_platform,
            Effect.KILL_SWITCH: self._lift_kill_switch,
            Effect.ASKER: _leave_to_asker,
            **(effects or {}),
        }

    @activity.defn
    async def save_approval(self, request: SaveApproval) -> None:
        """Write where a request stands."""
        await self._journal.save_approval(request.account, request.request, request.outcome)

    @activity.defn
    async def settle_approval(self, request: ApprovalToSettle) -> Answer:
        """Carry out what was decided, once however often this is tried; return what came of it."""
        effect = effect_of(request.request.subject, request.account)
        carry_out = self._effects.get(effect)
        if carry_out is None:
            raise ApplicationError(f"nobody here carries out what {effect} does")
        return await carry_out(request.account, request.request, request.fact)

    @activity.defn
    async def was_authenticated(self, request: ApprovalToProve) -> bool:
        """Tell whether the record knows of an approval."""
        return await self._journal.was_authenticated(request.account, request.approval, request.by)

    @activity.defn
    async def prove_approval(self, request: ApprovalToSettle) -> Answer:
        """Accept an approval, or say why it does not count.

        It counts if the record knows who gave it, and no freeze holds its effect.
        """
        asked, fact = request.request, request.fact
        known = await self._journal.was_authenticated(
            request.account, asked.request_id, fact.by, asked.content
        )
        if not known:
            detail = f"the record knows of no approval by {fact.by}"
            return Answer(fact.request_id, NOT_AUTHENTICATED, detail)
        if SUBJECTS[asked.subject].frozen:
            freeze = await self._journal.held_by_freeze(request.decision, fact.at)
            if freeze:
                return Answer(fact.request_id, FROZEN, f"changes are frozen: {freeze}")
        return Answer(fact.request_id, "accepted", "the record knows of it")

    async def _ask_account(
        self, account: str, _asked: ApprovalRequest, fact: ApprovalSettled
    ) -> Answer:
        answer = await self._messenger.ask_account(
            account, SETTLE_APPROVAL_UPDATE, fact.request_id, fact
        )
        if answer is None:
            raise ApplicationError(f"the workflow of {account} does not run")
        return answer

    async def _ask_trade(
        self, account: str, asked: ApprovalRequest, fact: ApprovalSettled
    ) -> Answer:
        if asked.trade is None:
            return Answer(fact.request_id, "unknown-trade", "the request names no trade")
        answer = await self._messenger.ask_trade(
            account, asked.trade, SETTLE_APPROVAL_UPDATE, fact.request_id, fact
        )
        over = Answer(fact.request_id, "trade-closing", "the trade is over", trade=asked.trade)
        return over if answer is None else answer

    async def _ask_platform(
        self, _account: str, asked: ApprovalRequest, fact: ApprovalSettled
    ) -> Answer:
        request = SettlePlatformApproval(fact.request_id, asked, fact)
        answer = await self._messenger.ask_platform(request)
        if answer is None:
            raise ApplicationError("the platform's workflow does not run")
        return answer

    async def _lift_kill_switch(
        self, _account: str, asked: ApprovalRequest, fact: ApprovalSettled
    ) -> Answer:
        """Have the engagement's workflow lift it; the record makes sure who has approved."""
        number = read_content(LiftContent, asked.content).number
        if fact.status is not ApprovalStatus.APPROVED:
            detail = f"kill switch {number} stands: {fact.status.value}"
            return Answer(fact.request_id, "accepted", detail)
        lift = LiftApproved(fact.request_id, fact.by, fact.at)
        if not await self._messenger.lift_kill_switch(number, lift):
            if not await self._journal.is_lifted(number):
                raise ApplicationError(f"the workflow of kill switch {number} does not run")
            return Answer(fact.request_id, "accepted", f"kill switch {number} is lifted")
        return Answer(fact.request_id, "accepted", f"kill switch {number} is being lifted")


async def _leave_to_asker(_account: str, asked: ApprovalRequest, fact: ApprovalSettled) -> Answer:
    return Answer(fact.request_id, "accepted", f"{asked.detail}: {fact.status.value}")
