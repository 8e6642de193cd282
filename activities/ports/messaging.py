"""Messages to workflows."""

from collections.abc import Sequence
from typing import Protocol

from models.contracts.platform import SettlePlatformApproval
from models.contracts.workflows import AccountAcknowledged, LiftApproved
from models.trading.answers import Answer
from models.trading.trade.state import TradeState


class Messenger(Protocol):
    """Tells running workflows facts; unknown or finished workflows are reported as False."""

    async def reopen_trade(self, state: TradeState, facts: Sequence[object]) -> None:
        """Run a settled trade again from the state it has settled with, and tell it facts."""
        ...

    async def signal_trade(self, account: str, trade: int, facts: Sequence[object]) -> bool:
        """Signal facts to a trade."""
        ...

    async def signal_account(self, account: str, facts: Sequence[object]) -> bool:
        """Signal facts to an account."""
        ...

    async def signal_hedge(self, account: str, facts: Sequence[object]) -> bool:
        """Signal facts to the hedge of an account."""
        ...

    async def signal_kill_switch(self, number: int, fact: AccountAcknowledged) -> bool:
        """Signal an acknowledgement to a kill switch."""
        ...

    async def lift_kill_switch(self, number: int, lift: LiftApproved) -> bool:
        """Have a kill switch lifted, once by the request's id; False when it does not run."""
        ...

    async def ask_platform(self, request: SettlePlatformApproval) -> Answer | None:
        """Tell the platform what was decided and wait for its answer, None when it does not run."""
        ...

    async def ask_account(
        self, account: str, update: str, request_id: str, fact: object
    ) -> Answer | None:
        """Ask an account and wait for its answer, None when it does not run."""
        ...

    async def ask_trade(
        self, account: str, trade: int, update: str, request_id: str, fact: object
    ) -> Answer | None:
        """Ask a trade and wait for its answer, None when it is over."""
        ...
