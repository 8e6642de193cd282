"""The life of one trade, from its entry to its settlement."""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from models.contracts.workflows import TradeInput
from models.trading.answers import Answer
from models.trading.governance.approval import RequestApproval
from models.trading.trade.decisions import TradeDecision, begin, decide
from models.trading.trade.facts import (
    OrderDoubted,
    RecordTrade,
    ReportToAccount,
    ReviewDue,
    SetWatches,
    TradeCommand,
)
from models.trading.trade.recovery.restore import take_up
from models.trading.trade.refusals import next_look
from models.trading.trade.state import TradePhase, TradeState
from workflows.governance.approval_steps import request_approval
from workflows.trade.inbox import TradeInbox
from workflows.trade.order_steps import order_task
from workflows.trade.record import report_to_account, save_trade, set_watches, show_progress
from workflows.trade.review import ReviewTimer

FIRST_FACT_PATIENCE = timedelta(minutes=1)


@workflow.defn
class TradeWorkflow(TradeInbox):
    """Carry out what the domain decides for one trade until it is settled."""

    @workflow.init
    def __init__(self, start: TradeInput) -> None:
        super().__init__(start.answers, start.handled)
        self.timer = ReviewTimer(lambda: self.tell(ReviewDue(workflow.now())))
        self.plan = start.plan
        self.first = begin(start.plan)
        self.state = start.state or self.first.state

    @workflow.run
    async def run(self, start: TradeInput) -> None:
        """Take facts until the trade is over, resting when the history has grown long."""
        if start.state is None:
            self.adopt(self.first)
        elif start.restored:
            self.adopt(take_up(start.state))
            self.tell(ReviewDue(workflow.now()))
        elif start.reopened:
            await self.wait_for_first_fact()
        self._keep_time()
        while not self.is_over:
            await self.wait_for_news()
            self.deal_with_inbox()
            self._keep_time()
            if self.should_continue_as_new() and not self.is_over and self.is_carriable():
                carried = self.carried()
                workflow.continue_as_new(TradeInput(start.plan, *carried))
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def wait_for_first_fact(self) -> None:
        """Wait for what the trade was opened again for; who does not tell it starts it once more.

        It cannot come with the start: what starts a workflow and what is told it are authentic as
        what they are, each under its own name.
        """
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: bool(self.inbox), timeout=FIRST_FACT_PATIENCE)

    def is_carriable(self) -> bool:
        """Tell whether the next run can begin with what it cannot do without."""
        return self.fits(self.plan, self.state)

    def carried(self) -> tuple[TradeState, tuple[Answer, ...], int]:
        """Return what the next run starts from, beside the plan."""
        return self.state, self.answers_to_carry(self.plan, self.state), self.handled

    @property
    def is_over(self) -> bool:
        """Tell whether the trade is settled and everybody was told."""
        return self.state.phase is TradePhase.SETTLED and self.settled

    @property
    def waits_for_news(self) -> bool:
        """Tell whether a review would find something due that nobody is working on."""
        if self.background_tasks or self.state.phase is TradePhase.SETTLED:
            return False
        return bool(decide(self.state, ReviewDue(workflow.now())).commands)

    def _keep_time(self) -> None:
        quiet = self.background_tasks or self.state.phase is TradePhase.SETTLED
        self.timer.keep(
            needed=self.waits_for_news, look_at=None if quiet else next_look(self.state)
        )

    def deal_with_inbox(self) -> None:
        """Decide on each fact in turn."""
        while (told := self.take()) is not None:
            if not isinstance(told.fact, ReviewDue | OrderDoubted):
                self.timer.progressed()
            decision = decide(self.state, told.fact)
            self.adopt(decision)
            self.give_answer(told, decision.answer)

    def adopt(self, decision: TradeDecision) -> None:
        """Take over the new state, then carry out the commands."""
        before, self.state = self.state, decision.state
        for command in decision.commands:
            self.carry_out(command)
        show_progress(before, self.state)

    def carry_out(self, command: TradeCommand) -> None:
        """Send a command on its way; what it comes to returns to the inbox as facts."""
        match command:
            case RecordTrade(event=event):
                save_trade(self.background_tasks, lambda: self.state, event)
            case ReportToAccount(closed=closed):
                report_to_account(self.background_tasks, self.state, closed=closed)
            case RequestApproval():
                request_approval(self.background_tasks, self.state.plan.account, command)
            case SetWatches(watches=watches):
                set_watches(self.background_tasks, self.state, watches)
            case _:
                key, step = order_task(command, self.state)

                async def work() -> None:
                    self.tell(*await step())

                self.background_tasks.run(key, work)
