"""Whether the platform has dealt with everything, asked of the record and of every workflow."""

import asyncio

from sqlalchemy import text
from temporalio.client import Client, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition
from temporalio.service import RPCError, RPCStatusCode

from infra.runtime.database.connections import Database
from models.contracts.names import (
    REST_QUERY,
    account_workflow_id,
    hedge_workflow_id,
    trade_workflow_id,
)
from models.contracts.workflows import Idle
from workers.schedules.lockstep import ExchangeCounters

_RECORDED = text(
    """SELECT (SELECT count(*) FROM fills) AS fills,
              (SELECT count(*) FROM fills WHERE delivered_at IS NULL) AS undelivered,
              (SELECT count(*) FROM orders WHERE ended_at IS NULL) AS open_orders"""
)
_OPEN_TRADES = text("SELECT number FROM trades WHERE phase <> 'settled' ORDER BY number")


class RecordAndWorkflows:
    """Ask the record for what the exchange did, and the workflows for what they still do."""

    def __init__(self, database: Database, client: Client) -> None:
        self._database = database
        self._client = client
        self.waits_for = ""

    async def caught_up(self, counters: ExchangeCounters) -> bool:
        """Tell whether every execution is recorded and told, and no order is in another state."""
        for account, fills in counters.fills.items():
            async with self._database.account_scope(account) as session:
                row = (await session.sql(_RECORDED)).one()
            if (row.fills, row.undelivered) != (fills, 0):
                recorded = f"{row.fills} of {fills} executions recorded"
                self.waits_for = f"{account}: {recorded}, {row.undelivered} untold"
                return False
            if row.open_orders != counters.open_orders[account]:
                self.waits_for = (
                    f"{account}: {row.open_orders} open orders recorded, "
                    f"{counters.open_orders[account]} at the exchange"
                )
                return False
        return True

    async def rest(self, account: str | None = None) -> int | None:
        """Return the facts handled ever, None while an account or trade has work in flight.

        A trade is recorded as settled and reported to its account side by side: until the account
        has dropped it too, the report is still on its way.
        """
        ids: list[str] = []
        open_trades: dict[str, set[int]] = {}
        for name in [account] if account else await self._database.accounts():
            ids += [account_workflow_id(name), hedge_workflow_id(name)]
            async with self._database.account_scope(name) as session:
                found = (await session.sql(_OPEN_TRADES)).all()
            recorded = {row.number for row in found}
            open_trades[account_workflow_id(name)] = recorded
            ids += [trade_workflow_id(name, number) for number in recorded]
        answers = await asyncio.gather(*(self._ask(workflow_id) for workflow_id in ids))
        for workflow_id, answer in zip(ids, answers, strict=True):
            if not answer.settled:
                self.waits_for = f"{workflow_id} has work in flight"
                return None
            kept = set(answer.trades) - open_trades.get(workflow_id, set())
            if kept:
                self.waits_for = f"{workflow_id} keeps settled trades: {sorted(kept)}"
                return None
        return sum(answer.handled for answer in answers)

    async def _ask(self, workflow_id: str) -> Idle:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            answer: Idle = await handle.query(
                REST_QUERY, result_type=Idle, reject_condition=QueryRejectCondition.NOT_OPEN
            )
        except WorkflowQueryRejectedError:
            return Idle(settled=True, handled=0)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Idle(settled=True, handled=0)
            raise
        return answer
