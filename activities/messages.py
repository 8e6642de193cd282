"""Telling running workflows facts, over the Temporal client."""

from collections.abc import Sequence

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.contracts.names import (
    ACCOUNT_SIGNALS,
    TRADE_SIGNALS,
    account_workflow_id,
    trade_workflow_id,
)


class TemporalMessenger:
    """Signals facts to accounts and trades; one signal per fact, in order."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def tell_trade(self, account: str, trade: int, facts: Sequence[object]) -> bool:
        """Signal facts to a trade; False when no such trade runs."""
        return await self._tell(trade_workflow_id(account, trade), TRADE_SIGNALS, facts)

    async def tell_account(self, account: str, facts: Sequence[object]) -> bool:
        """Signal facts to an account; False when its workflow does not run."""
        return await self._tell(account_workflow_id(account), ACCOUNT_SIGNALS, facts)

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
