"""The platform's own story: its settings and its universe, one change at a time; for ever.

Like an account's: people ask, it decides and records, and has another person asked where that takes
one. Whatever is in force afterwards is told to the accounts from here and nowhere else.
"""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from activities.governance.platform import PlatformActivities
from activities.policies import DECIDING_TASK_TIMEOUT, RECORD
from models.contracts.market_rules import MarketRulesRun
from models.contracts.names import MARKET_RULES_ID, SIGNAL_MARKET_RULES_WORKFLOW
from models.contracts.platform import (
    ChangePlatformSettings,
    ChangeUniverse,
    PlatformDecided,
    PlatformInput,
    PlatformRequest,
    SettlePlatformApproval,
)
from models.trading.answers import Answer
from models.trading.governance.approval import RequestApproval
from models.trading.governance.rights import PLATFORM
from workflows.entity import Entity, refuse_malformed
from workflows.governance.approval_steps import request_approval

_STEPS: dict[type, Any] = {
    ChangePlatformSettings: PlatformActivities.change_platform_settings,
    ChangeUniverse: PlatformActivities.change_universe,
    SettlePlatformApproval: PlatformActivities.settle_platform_approval,
}


@workflow.defn
class PlatformWorkflow(Entity):
    """Decide on what people ask of the platform."""

    @workflow.init
    def __init__(self, start: PlatformInput) -> None:
        super().__init__(start.answers, start.handled)

    @workflow.run
    async def run(self, _start: PlatformInput) -> None:
        """Take requests until the history is long, then go on in a new run."""
        while not self.should_continue_as_new():
            await self.wait_for_news()
            while (told := self.take()) is not None:
                decided = await self.decide(told.fact)
                self.carry_out(decided)
                self.give_answer(told, decided.answer)
        workflow.continue_as_new(PlatformInput(self.answers_to_carry(), self.handled))

    async def decide(self, request: PlatformRequest) -> PlatformDecided:
        """Decide on one request and record what came of it."""
        decided: PlatformDecided = await workflow.execute_activity_method(
            _STEPS[type(request)], request, **RECORD
        )
        return decided

    def carry_out(self, decided: PlatformDecided) -> None:
        """Have another person asked, and the accounts told."""
        if decided.ask is not None:
            request_approval(self.background_tasks, PLATFORM, RequestApproval(decided.ask))
        if decided.tell:
            self.signal_accounts(decided.tell)

    def signal_accounts(self, what: str) -> None:
        """Have every account told what is in force, once for each version."""

        async def start() -> None:
            try:
                await workflow.start_child_workflow(
                    SIGNAL_MARKET_RULES_WORKFLOW,
                    MarketRulesRun(what),
                    id=f"{MARKET_RULES_ID}/{what}",
                    task_timeout=DECIDING_TASK_TIMEOUT,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                )
            except WorkflowAlreadyStartedError:
                workflow.logger.info("%s is being told already", what)

        self.background_tasks.run(f"tell/{what}", start)

    @workflow.update
    async def change_platform_settings(self, request: ChangePlatformSettings) -> Answer:
        """Change settings of the platform."""
        return await self.ask(request.request_id, request)

    @change_platform_settings.validator
    def _check_settings(self, request: ChangePlatformSettings) -> None:
        refuse_malformed(request)

    @workflow.update
    async def change_universe(self, request: ChangeUniverse) -> Answer:
        """Ask for another universe, which another person decides on."""
        return await self.ask(request.request_id, request)

    @change_universe.validator
    def _check_universe(self, request: ChangeUniverse) -> None:
        refuse_malformed(request)

    @workflow.update
    async def settle_approval(self, request: SettlePlatformApproval) -> Answer:
        """Carry out what another person has decided on."""
        return await self.ask(request.request_id, request)
