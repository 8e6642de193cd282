"""The life of one account: the only place where its trades are allowed and begun."""

from temporalio import workflow

from models.contracts.workflows import AccountInput
from models.trading.account.capacity import Capacity, refuse_growth, state_to_carry
from models.trading.account.capital.facts import (
    CapitalCommand,
    MoveCapital,
    RecordBaseline,
    RecordDay,
    RecordFlows,
)
from models.trading.account.decisions import decide
from models.trading.account.facts import (
    AccountCommand,
    AcknowledgeKillSwitch,
    ChangeExchange,
    CloseTrades,
    EnterTrade,
    RaiseStops,
    RecordAccount,
    RecordIdea,
    ReduceTrades,
    WithdrawEntries,
)
from models.trading.account.hedge.facts import (
    HedgeCommand,
    RecordHedge,
    ReviewHedge,
    SellParts,
    WatchHedge,
)
from models.trading.account.state import AccountState
from models.trading.governance.approval import RequestApproval
from workflows.account.capital_steps import carry_out_capital, follow_day_rule
from workflows.account.hedge_steps import carry_out_hedge
from workflows.account.inbox import AccountInbox
from workflows.account.mode_steps import change_exchange
from workflows.account.steps import (
    acknowledge,
    close_trades,
    enter_trade,
    raise_stops,
    record_idea,
    reduce_trades,
    save_account,
    show_account,
    withdraw_entries,
)
from workflows.governance.approval_steps import request_approval

RuleCommand = RequestApproval | HedgeCommand | ChangeExchange | CapitalCommand


@workflow.defn
class AccountWorkflow(AccountInbox):
    """Decide on facts and requests one at a time; for ever."""

    @workflow.init
    def __init__(self, start: AccountInput) -> None:
        super().__init__(start.state.recent_answers, start.handled)
        self.state = start.state
        self.capacity = Capacity()
        if not start.started:
            show_account(None, self.state)

    @workflow.run
    async def run(self, _start: AccountInput) -> None:
        """Take facts until the history is long, then go on in a new run with the same state."""
        while not self.should_continue_as_new():
            await self.wait_for_news()
            self.deal_with_inbox()
        state, left_behind = state_to_carry(self.state)
        if left_behind:
            workflow.logger.error("the account carries too much: remembered answers are dropped")
        workflow.continue_as_new(AccountInput(state, self.handled, started=True))

    def open_trades(self) -> tuple[int, ...]:
        """Return the trades that the account holds to be open."""
        return tuple(self.state.trades)

    def deal_with_inbox(self) -> None:
        """Decide on each fact in turn: adopt the state, answer, carry the commands out."""
        while (told := self.take()) is not None:
            has_room = self.capacity.has_room(self.state, told.fact)
            act = decide if has_room else refuse_growth
            decision = act(self.state, told.fact)
            before, self.state = self.state, decision.state
            for command in decision.commands:
                self.carry_out(command)
            self.give_answer(told, decision.answer)
            show_account(before, self.state)
            follow_day_rule(self.background_tasks, before, self.state)

    def carry_out(self, command: AccountCommand) -> None:
        """Send a command on its way."""
        match command:
            case EnterTrade():
                enter_trade(self.background_tasks, command)
            case RecordIdea():
                record_idea(self.background_tasks, self.state, command)
            case WithdrawEntries():
                withdraw_entries(self.background_tasks, self.state, command)
            case CloseTrades():
                close_trades(self.background_tasks, self.state, command)
            case ReduceTrades():
                reduce_trades(self.background_tasks, self.state, command)
            case RaiseStops():
                raise_stops(self.background_tasks, self.state, command)
            case AcknowledgeKillSwitch():
                acknowledge(self.background_tasks, self.state, command)
            case RecordAccount():
                save_account(self.background_tasks, lambda: self.state, command)
            case _:
                self.carry_out_rule(command)

    def carry_out_rule(self, command: RuleCommand) -> None:
        """Send a command of the account's own rules on its way."""
        account = self.state.account
        match command:
            case RequestApproval():
                request_approval(self.background_tasks, account, command)
            case SellParts() | ReviewHedge() | RecordHedge() | WatchHedge():
                carry_out_hedge(self.background_tasks, self.state, command)
            case ChangeExchange():
                change_exchange(self.background_tasks, account, command)
            case RecordDay() | RecordFlows() | RecordBaseline() | MoveCapital():
                carry_out_capital(self.background_tasks, account, self.tell, command)

    @workflow.query
    def snapshot(self) -> AccountState:
        """Return the present state."""
        return self.state
