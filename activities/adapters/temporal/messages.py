"""Telling running workflows facts, over the Temporal client."""

from collections.abc import Sequence
from contextlib import suppress

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.policies import DECIDING_TASK_TIMEOUT
from models.contracts.names import (
    ACCOUNT_ACKNOWLEDGED_SIGNAL,
    ACCOUNT_SIGNALS,
    APPROVE_LIFT_UPDATE,
    HEDGE_SIGNALS,
    PLATFORM_WORKFLOW_ID,
    SETTLE_APPROVAL_UPDATE,
    TRADE_SIGNALS,
    TRADE_WORKFLOW,
    TRADING_QUEUE,
    account_workflow_id,
    hedge_workflow_id,
    kill_switch_workflow_id,
    trade_workflow_id,
)
from models.contracts.platform import SettlePlatformApproval
from models.contracts.workflows import (
    AccountAcknowledged,
    KillSwitchProgress,
    LiftApproved,
    TradeInput,
)
from models.trading.answers import Answer
from models.trading.trade.state import TradeState

_ACCOUNT_ID = SearchAttributeKey.for_keyword("AccountId")
_PAIR = SearchAttributeKey.for_keyword("Pair")
_STRATEGY = SearchAttributeKey.for_keyword("Strategy")
ENDED_MEANWHILE = "AcceptedUpdateCompletedWorkflow"
"""How Temporal calls an update whose workflow ended before it answered."""

REOPENINGS = 3


class TemporalMessenger:
    """Signals facts to accounts and trades; one signal per fact, in order."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def signal_trade(self, account: str, trade: int, facts: Sequence[object]) -> bool:
        """Signal facts to a trade; False when no such trade runs."""
        return await self._tell(trade_workflow_id(account, trade), TRADE_SIGNALS, facts)

    async def reopen_trade(self, state: TradeState, facts: Sequence[object]) -> None:
        """Run a settled trade again from the state it has settled with, and tell it facts.

        It waits for the first of them. A trade that runs again already is only told them.

        Raises:
            RPCError: each time it had ended before it was told.
        """
        plan = state.plan
        for _ in range(REOPENINGS):
            with suppress(WorkflowAlreadyStartedError):
                await self._client.start_workflow(
                    TRADE_WORKFLOW,
                    TradeInput(plan, state, reopened=True),
                    id=trade_workflow_id(plan.account, plan.number),
                    task_queue=(
                        activity.info().task_queue if activity.in_activity() else TRADING_QUEUE
                    ),
                    task_timeout=DECIDING_TASK_TIMEOUT,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    search_attributes=TypedSearchAttributes(
                        [
                            SearchAttributePair(_ACCOUNT_ID, plan.account),
                            SearchAttributePair(_PAIR, plan.instrument.symbol),
                            SearchAttributePair(_STRATEGY, plan.source.split("/")[0]),
                        ]
                    ),
                )
            if await self.signal_trade(plan.account, plan.number, facts):
                return
        ended = f"trade {plan.number} of {plan.account} ends before it is told"
        raise RPCError(ended, RPCStatusCode.NOT_FOUND, b"")

    async def signal_account(self, account: str, facts: Sequence[object]) -> bool:
        """Signal facts to an account; False when its workflow does not run."""
        return await self._tell(account_workflow_id(account), ACCOUNT_SIGNALS, facts)

    async def signal_hedge(self, account: str, facts: Sequence[object]) -> bool:
        """Signal facts to the hedge of an account; False when its workflow does not run."""
        return await self._tell(hedge_workflow_id(account), HEDGE_SIGNALS, facts)

    async def signal_kill_switch(self, number: int, fact: AccountAcknowledged) -> bool:
        """Signal an acknowledgement to a kill switch; False when its workflow does not run."""
        names: dict[type, str] = {AccountAcknowledged: ACCOUNT_ACKNOWLEDGED_SIGNAL}
        return await self._tell(kill_switch_workflow_id(number), names, [fact])

    async def lift_kill_switch(self, number: int, lift: LiftApproved) -> bool:
        """Have a kill switch lifted, once by the request's id; False when it does not run."""
        handle = self._client.get_workflow_handle(kill_switch_workflow_id(number))
        try:
            await handle.execute_update(
                APPROVE_LIFT_UPDATE, lift, id=lift.request_id, result_type=KillSwitchProgress
            )
        except WorkflowUpdateFailedError as error:
            if getattr(error.cause, "type", None) == ENDED_MEANWHILE:
                return False
            raise
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def ask_platform(self, request: SettlePlatformApproval) -> Answer | None:
        """Tell the platform what was decided and wait for its answer, None when it does not run."""
        return await self._ask(
            PLATFORM_WORKFLOW_ID, SETTLE_APPROVAL_UPDATE, request.request_id, request
        )

    async def ask_account(
        self, account: str, update: str, request_id: str, fact: object
    ) -> Answer | None:
        """Ask an account and wait for its answer, None when its workflow does not run."""
        return await self._ask(account_workflow_id(account), update, request_id, fact)

    async def ask_trade(
        self, account: str, trade: int, update: str, request_id: str, fact: object
    ) -> Answer | None:
        """Ask a trade and wait for its answer, None when it is over."""
        return await self._ask(trade_workflow_id(account, trade), update, request_id, fact)

    async def _ask(
        self, workflow_id: str, update: str, request_id: str, fact: object
    ) -> Answer | None:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            answer: Answer = await handle.execute_update(
                update, fact, id=request_id, result_type=Answer
            )
        except WorkflowUpdateFailedError as error:
            if getattr(error.cause, "type", None) == ENDED_MEANWHILE:
                return None
            raise
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return answer

    async def _tell(
        self, workflow_id: str, names: dict[type, str], facts: Sequence[object]
    ) -> bool:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            for fact in facts:
                await handle.signal(names[type(fact)], fact)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True
