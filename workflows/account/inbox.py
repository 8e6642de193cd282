"""Signals and updates of an account; what follows from them is in ``workflow``."""

from dataclasses import replace

from temporalio import workflow

from models.trading.account.capital.facts import (
    CapitalRequested,
    DayBoundaryPassed,
    DrawdownLiftRequested,
    PricesMarked,
)
from models.trading.account.facts import (
    ExchangeLost,
    ExchangeReady,
    ForeignInstanceMet,
    HaltRequested,
    IdeaArrived,
    KillSwitchEngaged,
    KillSwitchLifted,
    LimitsChangeRequested,
    ModeChangeRequested,
    OpenRequested,
    ResumeRequested,
    SettingsChangeRequested,
    TradeCloseRequested,
    TradeProgressed,
    UniverseUpdated,
)
from models.trading.account.hedge.facts import (
    HedgeClearRequested,
    HedgeOverrideRequested,
    HedgeReviewRequested,
)
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalSettled
from models.trading.risk.limits import Mode
from workflows.account.mode_steps import freeze_that_holds, gather_live_facts
from workflows.entity import Entity, refuse_malformed
from workflows.governance.approval_steps import proven


class AccountInbox(Entity):
    """Put every fact and request into the inbox; nothing is decided here."""

    @workflow.signal
    def exchange_ready(self, fact: ExchangeReady) -> None:
        """The exchange answered."""
        self.tell(fact)

    @workflow.signal
    def exchange_lost(self, fact: ExchangeLost) -> None:
        """The exchange cannot be reached."""
        self.tell(fact)

    @workflow.signal
    def foreign_instance_met(self, fact: ForeignInstanceMet) -> None:
        """Another instance of the platform uses the account's key."""
        self.tell(fact)

    @workflow.signal
    def idea_arrived(self, fact: IdeaArrived) -> None:
        """A strategy proposes a trade."""
        self.tell(fact)

    @workflow.signal
    def trade_progressed(self, fact: TradeProgressed) -> None:
        """A trade reports its figures."""
        self.tell(fact)

    @workflow.signal
    def kill_switch_engaged(self, fact: KillSwitchEngaged) -> None:
        """Entries stop."""
        self.tell(fact)

    @workflow.signal
    def kill_switch_lifted(self, fact: KillSwitchLifted) -> None:
        """The kill switch was lifted."""
        self.tell(fact)

    @workflow.signal
    def universe_updated(self, fact: UniverseUpdated) -> None:
        """The universe or the correlation groups changed."""
        self.tell(fact)

    @workflow.signal
    def prices_marked(self, fact: PricesMarked) -> None:
        """The market has moved what the account holds."""
        self.tell(fact)

    @workflow.signal
    def day_boundary_passed(self, fact: DayBoundaryPassed) -> None:
        """A day of the account has ended."""
        self.tell(fact)

    @workflow.update
    async def open_trade(self, request: OpenRequested) -> Answer:
        """Open a trade, or refuse it with a code."""
        return await self.ask(request.request_id, request)

    @open_trade.validator
    def _check_open_trade(self, request: OpenRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def close_trade(self, request: TradeCloseRequested) -> Answer:
        """Close a trade of this account."""
        return await self.ask(request.request_id, request)

    @close_trade.validator
    def _check_close_trade(self, request: TradeCloseRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def halt(self, request: HaltRequested) -> Answer:
        """Take no more entries."""
        return await self.ask(request.request_id, request)

    @halt.validator
    def _check_halt(self, request: HaltRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def resume(self, request: ResumeRequested) -> Answer:
        """Lift the manual halt."""
        return await self.ask(request.request_id, request)

    @resume.validator
    def _check_resume(self, request: ResumeRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def set_mode(self, request: ModeChangeRequested) -> Answer:
        """Change the mode; what going live rests on is gathered here and not taken from callers."""
        request = replace(request, live=None)
        if request.mode is Mode.LIVE:
            request = replace(request, live=await gather_live_facts(request.request_id))
        return await self.ask(request.request_id, request)

    @set_mode.validator
    def _check_set_mode(self, request: ModeChangeRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def change_limits(self, request: LimitsChangeRequested) -> Answer:
        """Change the limits."""
        found = await freeze_that_holds(request.request_id)
        return await self.ask(request.request_id, replace(request, frozen=found))

    @workflow.update
    async def settle_approval(self, request: ApprovalSettled) -> Answer:
        """Take what a person decided about an entry that waited."""
        account = workflow.info().workflow_id.partition("/")[2]
        return await self.ask(request.request_id, await proven(account, request))

    @settle_approval.validator
    def _check_settle_approval(self, request: ApprovalSettled) -> None:
        refuse_malformed(request)

    @workflow.update
    async def review_hedge(self, request: HedgeReviewRequested) -> Answer:
        """Look at the hedge."""
        return await self.ask(request.request_id, request)

    @review_hedge.validator
    def _check_review_hedge(self, request: HedgeReviewRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def override_hedge(self, request: HedgeOverrideRequested) -> Answer:
        """Set the hedge by hand."""
        return await self.ask(request.request_id, request)

    @override_hedge.validator
    def _check_override_hedge(self, request: HedgeOverrideRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def clear_hedge_override(self, request: HedgeClearRequested) -> Answer:
        """Give the hedge back to the formula."""
        return await self.ask(request.request_id, request)

    @clear_hedge_override.validator
    def _check_clear_hedge_override(self, request: HedgeClearRequested) -> None:
        refuse_malformed(request)

    @change_limits.validator
    def _check_change_limits(self, request: LimitsChangeRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def change_settings(self, request: SettingsChangeRequested) -> Answer:
        """Change the settings; they count from the next decision on."""
        found = await freeze_that_holds(request.request_id)
        return await self.ask(request.request_id, replace(request, frozen=found))

    @change_settings.validator
    def _check_change_settings(self, request: SettingsChangeRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def move_capital(self, request: CapitalRequested) -> Answer:
        """Move simulated capital in or out."""
        return await self.ask(request.request_id, request)

    @move_capital.validator
    def _check_move_capital(self, request: CapitalRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def lift_drawdown(self, request: DrawdownLiftRequested) -> Answer:
        """Lift the halt of the total drawdown."""
        return await self.ask(request.request_id, request)

    @lift_drawdown.validator
    def _check_lift_drawdown(self, request: DrawdownLiftRequested) -> None:
        refuse_malformed(request)
