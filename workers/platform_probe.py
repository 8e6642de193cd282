"""Whether the platform has dealt with everything, asked of the record and of every workflow."""

from sqlalchemy import text
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from infra.runtime.database import Database
from models.contracts.names import IDLE_UPDATE, account_workflow_id, trade_workflow_id
from models.contracts.workflows import Idle
from workers.lockstep import ExchangeCounters

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

    async def caught_up(self, counters: ExchangeCounters) -> bool:
        """Tell whether every execution is recorded and told, and no order is in another state."""
        for account, fills in counters.fills.items():
            async with self._database.account_scope(account) as session:
                row = (await session.sql(_RECORDED)).one()
            if (row.fills, row.undelivered) != (fills, 0):
                return False
            if row.open_orders != counters.open_orders[account]:
                return False
        return True

    async def idle(self) -> int:
        """Wait until no account and no trade has work in flight; return the facts handled ever."""
        handled = 0
        for account in await self._database.accounts():
            handled += await self._ask(account_workflow_id(account))
            async with self._database.account_scope(account) as session:
                trades = [row.number for row in (await session.sql(_OPEN_TRADES)).all()]
            for number in trades:
                handled += await self._ask(trade_workflow_id(account, number))
        return handled

    async def _ask(self, workflow_id: str) -> int:
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            answer: Idle = await handle.execute_update(IDLE_UPDATE, result_type=Idle)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return 0
            raise
        return answer.handled
