"""The steps by which trades, accounts and kill switches tell one another what they have to know.

The telling is a request from here and not a signal from workflow to workflow: for the latter the
server keeps the sender locked until the receiver has taken it, and two that signal each other at
the same moment would both stand still until one of them gives up.
"""

import asyncio

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports.messaging import Messenger
from models.contracts.hedges import HedgeToWake
from models.contracts.records import (
    ProgressToReport,
    SignalAcknowledgement,
    SignalKillSwitch,
    SignalTrade,
    SignalTrades,
)


class ReportActivities:
    """Tell accounts of their trades and of kill switches, and trades what is wanted of them."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger

    @activity.defn
    async def report_progress(self, request: ProgressToReport) -> None:
        """Tell the account; tried until it takes the end of a trade, which it must not miss."""
        told = await self._messenger.signal_account(request.account, [request.progress])
        if not told and request.progress.closed:
            raise ApplicationError(f"the workflow of {request.account} does not run")

    @activity.defn
    async def signal_trades(self, request: SignalTrades) -> int:
        """Tell the trades at once; return how many run. One that is over needs it no more."""
        told = await asyncio.gather(*(self._tell(request.account, one) for one in request.trades))
        return sum(told)

    async def _tell(self, account: str, wanted: SignalTrade) -> bool:
        found = (wanted.withdraw, wanted.close, wanted.sell_part, wanted.move_stop)
        facts = [fact for fact in found if fact is not None]
        return await self._messenger.signal_trade(account, wanted.trade, facts)

    @activity.defn
    async def wake_hedge(self, request: HedgeToWake) -> None:
        """Have the hedge of an account look again; one that does not run looks when it starts."""
        await self._messenger.signal_hedge(request.account, [request.due])

    @activity.defn
    async def tell_of_kill_switch(self, request: SignalKillSwitch) -> bool:
        """Tell the account; False when its workflow does not run.

        A lift is tried until it was told: that a switch stands is told again, that it does not is
        not.
        """
        facts = [fact for fact in (request.engaged, request.lifted) if fact is not None]
        told = await self._messenger.signal_account(request.account, facts)
        if not told and request.lifted is not None:
            raise ApplicationError(f"the workflow of {request.account} does not run")
        return told

    @activity.defn
    async def signal_kill_switch(self, request: SignalAcknowledgement) -> bool:
        """Tell the kill switch that an account is halted; False when it does not run."""
        return await self._messenger.signal_kill_switch(request.number, request.acknowledged)
